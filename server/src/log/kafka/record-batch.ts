import { compressionsAlgorithms, crc32c } from '@platformatic/kafka';
import { limits } from '../../base/limits.ts';
import type { OutgoingRecord } from './kafka-record.ts';
import type { Compression } from './kafka-target.ts';

/** By which the broker knows a batch that comes again. */
export interface BatchNumber {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Of its first record in the partition. */
  readonly sequence: number;
}

/**
 * Records of one partition in the form in which Kafka keeps and sends them
 * (record batch, version 2; the message format in Kafka's documentation). They are
 * written into one buffer, because one for every part of every record costs more
 * than all the rest of an append.
 */
export class RecordBatchBuilder {
  #buffer = Buffer.allocUnsafe(startBytes);
  #end = headBytes;
  #records = 0;
  #firstMs = 0;
  #newestMs = 0;

  get isEmpty(): boolean {
    return this.#records === 0;
  }

  /** The most that the batch has with this record in it. */
  bytesWith(record: OutgoingRecord): number {
    return this.#end + largestBytes(record);
  }

  add(record: OutgoingRecord): void {
    const { key, value, headers, timestampMs } = record;
    this.#reserve(largestBytes(record));
    if (this.#records === 0) {
      this.#firstMs = timestampMs;
      this.#newestMs = timestampMs;
    }
    this.#newestMs = Math.max(this.#newestMs, timestampMs);
    // The length of a record stands before it, and is known when it is written.
    const start = this.#end + lengthBytesMax;
    this.#end = start;
    this.#buffer[this.#end++] = 0;
    this.#varint(timestampMs - this.#firstMs);
    this.#varint(this.#records);
    this.#text(key);
    this.#text(value);
    this.#varint(headers.length);
    for (const [name, text] of headers) {
      this.#name(name);
      this.#text(text);
    }
    this.#prepend(start);
    this.#records += 1;
  }

  /** What was added, ready for its numbers; the builder is then empty. */
  build(compression: Compression): RecordBatch {
    const plain = this.#buffer.subarray(headBytes, this.#end);
    const isSmall = plain.length < limits.kafkaCompressBytes;
    const algorithm = compressionsAlgorithms[isSmall ? 'none' : compression];
    const body = algorithm.bitmask === 0 ? plain : algorithm.compressSync(plain);
    const bytes = Buffer.allocUnsafe(headBytes + body.length);
    bytes.set(body, headBytes);
    const head = {
      records: this.#records,
      attributes: algorithm.bitmask,
      firstMs: this.#firstMs,
      newestMs: this.#newestMs,
    };
    this.clear();
    return new RecordBatch(bytes, head);
  }

  clear(): void {
    this.#end = headBytes;
    this.#records = 0;
  }

  /** Moves what was written from `start` on to the end of what was before, with its length in front. */
  #prepend(start: number): void {
    const length = this.#end - start;
    this.#end = start - lengthBytesMax;
    this.#varint(length);
    this.#buffer.copyWithin(this.#end, start, start + length);
    this.#end += length;
  }

  /** The same few names in every record: written out once. */
  #name(name: string): void {
    let written = writtenNames.get(name);
    if (written === undefined) {
      written = Buffer.concat([Buffer.from([name.length * 2]), Buffer.from(name)]);
      writtenNames.set(name, written);
    }
    this.#end += written.copy(this.#buffer, this.#end);
  }

  #text(text: string): void {
    // Text of one byte for each character, as nearly all is, needs no second look.
    const start = this.#end;
    const lengthBytes = varintBytes(text.length);
    const written = this.#buffer.write(text, start + lengthBytes);
    const missing = varintBytes(written) - lengthBytes;
    if (missing > 0) {
      const from = start + lengthBytes;
      this.#buffer.copyWithin(from + missing, from, from + written);
    }
    this.#varint(written);
    this.#end += written;
  }

  /** Kafka's numbers of up to 32 bits: zigzag, then 7 bits to a byte. */
  #varint(value: number): void {
    let rest = value >= 0 ? value * 2 : value * -2 - 1;
    while (rest >= 0x80) {
      this.#buffer[this.#end++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#end++] = rest;
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}

interface Head {
  readonly records: number;
  readonly attributes: number;
  readonly firstMs: number;
  readonly newestMs: number;
}

/** A batch whose records are written, compressed, and not numbered yet. */
export class RecordBatch {
  readonly records: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, head: Head) {
    this.records = head.records;
    this.#bytes = bytes;
    bytes.writeBigInt64BE(0n, 0);
    bytes.writeInt32BE(bytes.length - 12, 8);
    bytes.writeInt32BE(-1, 12);
    bytes.writeInt8(2, 16);
    bytes.writeInt16BE(head.attributes, checkedFrom);
    bytes.writeInt32BE(head.records - 1, 23);
    bytes.writeBigInt64BE(BigInt(head.firstMs), 27);
    bytes.writeBigInt64BE(BigInt(head.newestMs), 35);
    bytes.writeInt32BE(head.records, 57);
  }

  /** As it is sent. The same number for the same records, however often they are sent. */
  numbered({ producerId, producerEpoch, sequence }: BatchNumber): Buffer {
    const bytes = this.#bytes;
    bytes.writeBigInt64BE(producerId, 43);
    bytes.writeInt16BE(producerEpoch, 51);
    bytes.writeInt32BE(sequence, 53);
    bytes.writeUInt32BE(crc32c(bytes.subarray(checkedFrom)), 17);
    return bytes;
  }
}

/** Names of headers with their lengths, by name: ASCII, of less than 64 characters. */
const writtenNames = new Map<string, Buffer>();

const startBytes = 64 * 1024;
const headBytes = 61;
/** What comes before it is not covered by the checksum. */
const checkedFrom = 21;
/** Of any number in a record. */
const lengthBytesMax = 5;

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value * 2; rest >= 0x80; rest /= 0x80) bytes += 1;
  return bytes;
}

/** More than any text takes in UTF-8, and all numbers. */
function largestBytes({ key, value, headers }: OutgoingRecord): number {
  let characters = key.length + value.length;
  let bytes = 7 * lengthBytesMax;
  for (const [name, text] of headers) {
    characters += text.length;
    bytes += name.length + lengthBytesMax;
  }
  return characters * 3 + bytes;
}
