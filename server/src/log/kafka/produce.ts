import {
  apiVersionsV3,
  type Connection,
  createAPI,
  ProduceAcks,
  type Reader,
  ResponseError,
  Writer,
} from '@platformatic/kafka';
import { limits } from '../../base/limits.ts';

/** A topic by both its names: the second one is new for each topic that is made. */
export interface ProduceTopic {
  readonly name: string;
  /** A UUID. */
  readonly id: string;
}

/** One numbered batch for each partition. */
export type NumberedBatches = ReadonlyMap<number, Buffer>;

export type Produce = (
  connection: Connection,
  topic: ProduceTopic,
  batches: NumberedBatches,
) => Promise<ProduceAnswer>;

export interface ProduceAnswer {
  readonly partitions: readonly PartitionAnswer[];
}

export interface PartitionAnswer {
  readonly partition: number;
  /** Kafka's number of it; 0 is none. */
  readonly errorCode: number;
  /** Of the batch's first record. */
  readonly baseOffset: bigint;
}

/**
 * How a broker is written to with `acks=all`: by the topic's id where it can
 * (from Kafka 4.1), so that a topic that took the place of another under its name
 * takes nothing that was meant for the first. What rejects because of a partition
 * carries the answers of all as `response`.
 */
export async function produceOf(connection: Connection): Promise<Produce> {
  const { apiKeys } = await apiVersionsV3.api.async(connection, ...clientSoftware);
  const newest = apiKeys.find(({ apiKey }) => apiKey === PRODUCE)?.maxVersion ?? 0;
  return newest >= byId.version ? byId.async : byName.async;
}

/** What brokers show in their own metrics; a version of the hub would say nothing to them. */
const clientSoftware = ['event-hub', '1'] as const;

const PRODUCE = 0;

/** Kafka 2.8 and newer. */
export const byName = produceApi(9, {
  write: (writer, { name }) => writer.appendString(name),
  skip: (reader) => reader.readString(),
});

/** Kafka 4.1 and newer. */
export const byId = produceApi(13, {
  write: (writer, { id }) => writer.appendUUID(id),
  skip: (reader) => reader.readUUID(),
});

/** How a version names a topic, in requests and answers. */
interface Naming {
  readonly write: (writer: Writer, topic: ProduceTopic) => Writer;
  readonly skip: (reader: Reader) => unknown;
}

/** https://kafka.apache.org/protocol.html#The_Messages_Produce: one topic at a time, without a transaction. */
function produceApi(apiVersion: number, naming: Naming) {
  return createAPI<[topic: ProduceTopic, batches: NumberedBatches], ProduceAnswer>(
    PRODUCE,
    apiVersion,
    (topic, batches) =>
      Writer.create()
        .appendString(undefined)
        .appendInt16(ProduceAcks.ALL)
        .appendInt32(limits.kafkaAnswerMs)
        .appendArray([topic], (writer, each) => {
          naming.write(writer, each).appendArray([...batches], (part, [partition, bytes]) => {
            part
              .appendInt32(partition)
              .appendUnsignedVarInt(bytes.length + 1)
              .append(bytes);
          });
        })
        .appendTaggedFields(),
    (_, apiKey, version, reader) => parseAnswer(reader, naming, { apiKey, version }),
  );
}

function parseAnswer(
  reader: Reader,
  naming: Naming,
  { apiKey, version }: { readonly apiKey: number; readonly version: number },
): ProduceAnswer {
  const errors: [path: string, [errorCode: number, message: string | null]][] = [];
  const topics = reader.readArray((topicReader) => {
    naming.skip(topicReader);
    return topicReader.readArray((partReader) => {
      const { message, ...answer } = readPartition(partReader);
      const { partition, errorCode } = answer;
      if (errorCode !== 0) errors.push([`/partitions/${partition}`, [errorCode, message]]);
      return answer;
    });
  });
  reader.readInt32(); // The time for which the broker held the request back.
  reader.readTaggedFields();
  const answer = { partitions: topics.flat() };
  if (errors.length === 0) return answer;
  throw new ResponseError(apiKey, version, Object.fromEntries(errors), answer);
}

function readPartition(reader: Reader): PartitionAnswer & { readonly message: string | null } {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const baseOffset = reader.readInt64();
  reader.readInt64(); // The time of the append, where the broker sets it.
  reader.readInt64(); // The first offset that the partition still has.
  const refused = reader.readArray((record) => {
    record.readInt32(); // Its place in the batch.
    return record.readNullableString();
  });
  const message = reader.readNullableString() ?? refused.find((each) => each !== null) ?? null;
  return { partition, errorCode, baseOffset, message };
}
