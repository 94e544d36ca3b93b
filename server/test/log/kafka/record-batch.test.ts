import { crc32c, Reader, readRecordsBatch } from '@platformatic/kafka';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { OutgoingRecord } from '../../../src/log/kafka/kafka-record.ts';
import type { Compression } from '../../../src/log/kafka/kafka-target.ts';
import { RecordBatchBuilder } from '../../../src/log/kafka/record-batch.ts';

const names = ['content-type', 'event_id', 'event_type'];
/** Long enough for lengths of one, two and three bytes. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 90 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.integer({ min: 0, max: 20_000 }).map((length) => 'é'.repeat(length)),
);
const record = fc
  .record({ key: text, value: text, values: fc.tuple(text, text, text), timestampMs: fc.nat() })
  .map(
    ({ key, value, values, timestampMs }): OutgoingRecord => ({
      key,
      value,
      timestampMs,
      headers: names.map((name, at) => [name, values[at] ?? ''] as const),
    }),
  );
const records = fc.array(record, { minLength: 1, maxLength: 40 });
const compression = fc.constantFrom<Compression>('none', 'gzip', 'snappy', 'lz4', 'zstd');
const number = fc.record({
  producerId: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  producerEpoch: fc.integer({ min: 0, max: 2 ** 15 - 1 }),
  sequence: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
});

/** As any client reads it: text in UTF-8, a half of a surrogate pair as U+FFFD. */
const asRead = (text: string) => Buffer.from(text).toString();

function built(builder: RecordBatchBuilder, added: readonly OutgoingRecord[], by: Compression) {
  for (const each of added) builder.add(each);
  return builder.build(by);
}

it("is what Kafka's own format says, whatever the records, the compression and the numbers", () => {
  const builder = new RecordBatchBuilder();
  fc.assert(
    fc.property(records, compression, number, (added, by, numbers) => {
      const bytes = built(builder, added, by).numbered(numbers);
      expect(bytes.readUInt32BE(17)).toBe(crc32c(bytes.subarray(21)));
      const read = readRecordsBatch(Reader.from(bytes));
      const times = added.map(({ timestampMs }) => timestampMs);
      expect(read).toMatchObject({
        firstOffset: 0n,
        length: bytes.length - 12,
        magic: 2,
        lastOffsetDelta: added.length - 1,
        firstTimestamp: BigInt(times[0] ?? 0),
        maxTimestamp: BigInt(Math.max(...times)),
        producerId: numbers.producerId,
        producerEpoch: numbers.producerEpoch,
        firstSequence: numbers.sequence,
      });
      const firstMs = times[0] ?? 0;
      expect(
        read.records.map(({ key, value, headers, offsetDelta, timestampDelta }) => ({
          key: String(key),
          value: String(value),
          headers: headers.map((pair) => pair.map(String)),
          offsetDelta,
          timestampMs: Number(timestampDelta) + firstMs,
        })),
      ).toEqual(
        added.map(({ key, value, headers, timestampMs }, at) => ({
          key: asRead(key),
          value: asRead(value),
          headers: headers.map((pair) => pair.map(asRead)),
          offsetDelta: at,
          timestampMs,
        })),
      );
    }),
  );
});

it('says before a record is added how large the batch may become, and never more is', () => {
  fc.assert(
    fc.property(records, (added) => {
      const builder = new RecordBatchBuilder();
      for (const each of added.slice(0, -1)) builder.add(each);
      const last = added.at(-1) as OutgoingRecord;
      const most = builder.bytesWith(last);
      builder.add(last);
      const { length } = builder.build('none').numbered(first);
      expect(length).toBeLessThanOrEqual(most);
      expect(length).toBeGreaterThan(most / 4);
    }),
  );
});

it('holds nothing of the batch before, however that ended', () => {
  const builder = new RecordBatchBuilder();
  const one = { key: 'k', value: 'v', headers: [], timestampMs: 1 };
  built(builder, [one, one, one], 'none');
  builder.add(one);
  builder.clear();
  expect(builder.isEmpty).toBe(true);
  const batch = built(builder, [one], 'none');
  expect(batch.records).toBe(1);
  expect(readRecordsBatch(Reader.from(batch.numbered(first))).records).toHaveLength(1);
});

it('numbers the same records anew without touching them', () => {
  const batch = built(
    new RecordBatchBuilder(),
    [{ key: 'k', value: 'v'.repeat(5_000), headers: [], timestampMs: 1 }],
    'zstd',
  );
  const before = Buffer.from(batch.numbered(first));
  batch.numbered({ producerId: 9n, producerEpoch: 8, sequence: 7 });
  expect(Buffer.from(batch.numbered(first))).toEqual(before);
});

const first = { producerId: 1n, producerEpoch: 0, sequence: 0 };
