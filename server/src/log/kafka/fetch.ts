import {
  createAPI,
  fetchV13,
  Reader,
  type RecordsBatch,
  ResponseError,
  readRecordsBatch,
} from '@platformatic/kafka';
import { unavailable } from './kafka-faults.ts';

/** What a broker gave of one partition, as compressed as it came. */
export interface FetchedPartition {
  readonly partition: number;
  /** Kafka's number of it; 0 is none. */
  readonly errorCode: number;
  /** See `batchesIn`. */
  readonly records: Buffer;
}

const FETCH = 1;
/** Of a batch: its first offset, and the length of what comes behind that. */
const lengthAt = 8;
const prefixBytes = 12;

/**
 * https://kafka.apache.org/protocol.html#The_Messages_Fetch, version 13. The driver would decompress all of an answer
 * at once, which may come to hundreds of times as much. One partition's fault does not hide what the others gave;
 * rejects only where the broker refuses the request.
 */
export const fetchRecords = createAPI<fetchV13.FetchRequest, readonly FetchedPartition[]>(
  FETCH,
  13,
  fetchV13.createRequest,
  (_, apiKey, version, reader) => {
    reader.readInt32(); // The time for which the broker held the request back.
    const errorCode = reader.readInt16();
    reader.readInt32(); // The session, which is none.
    const topics = reader.readArray((topic) => {
      topic.readUUID();
      return topic.readArray(readPartition);
    });
    reader.readTaggedFields();
    const partitions = topics.flat();
    if (errorCode === 0) return partitions;
    throw new ResponseError(apiKey, version, { '/': [errorCode, null] }, partitions);
  },
);

function readPartition(reader: Reader): FetchedPartition {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt64(); // Where what may be read ends.
  reader.readInt64(); // Where transactions end.
  reader.readInt64(); // The first offset that the partition still has.
  reader.readNullableArray((transaction) => {
    transaction.readInt64();
    transaction.readInt64();
  });
  reader.readInt32(); // A replica that is nearer.
  return { partition, errorCode, records: reader.readBytes() };
}

/**
 * One after another, each decompressed when it is asked for. The last one, which a broker may cut off, only where it
 * is whole. Throws `unavailable` for what cannot be decompressed.
 */
export function* batchesIn({
  partition,
  records,
}: FetchedPartition): Generator<RecordsBatch, void> {
  for (let at = 0; ; ) {
    const end = endOfBatch(records, at);
    if (end === undefined) return;
    yield readBatch(partition, records.subarray(at, end));
    at = end;
  }
}

function readBatch(partition: number, bytes: Buffer): RecordsBatch {
  try {
    return readRecordsBatch(Reader.from(bytes));
  } catch (reason) {
    throw unavailable(`partition ${partition} holds what cannot be read: ${reason}`, reason);
  }
}

export function hasBatch({ records }: FetchedPartition): boolean {
  return endOfBatch(records, 0) !== undefined;
}

/** Undefined where none is, or not all of it. */
function endOfBatch(records: Buffer, start: number): number | undefined {
  if (start + prefixBytes > records.length) return undefined;
  const end = start + prefixBytes + records.readInt32BE(start + lengthAt);
  return end > records.length ? undefined : end;
}
