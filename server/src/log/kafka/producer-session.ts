import {
  type ConnectionPool,
  createAPI,
  initProducerIdV4,
  ProduceAcks,
  produceV9,
  Writer,
} from '@platformatic/kafka';
import { limits } from '../../base/limits.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { RecordBatch } from './record-batch.ts';

/**
 * One producer as the brokers know it: its batches are numbered, so that one
 * which is sent again is written once. After a failure it is not used any more,
 * because what failed may still be under way with numbers that others would meet.
 */
export class ProducerSession {
  readonly #cluster: KafkaCluster;
  readonly #pool: ConnectionPool;
  readonly #sequences = new Map<number, number>();
  #identity: Identity | undefined;

  constructor(cluster: KafkaCluster) {
    this.#cluster = cluster;
    this.#pool = cluster.openPool();
  }

  /** Numbers batches of partitions, one of each, in the order in which they are to be written. */
  async number(batches: ReadonlyMap<number, RecordBatch>): Promise<ReadonlyMap<number, Buffer>> {
    this.#identity ??= await this.#begin();
    const identity = this.#identity;
    const numbered = new Map<number, Buffer>();
    for (const [partition, batch] of batches) {
      const sequence = this.#sequences.get(partition) ?? 0;
      this.#sequences.set(partition, (sequence + batch.records) % sequencesEnd);
      numbered.set(partition, batch.numbered({ ...identity, sequence }));
    }
    return numbered;
  }

  /** To one broker, which leads all these partitions. The offset of each batch's first record; a fault has what was written all the same. */
  async send(leader: number, batches: ReadonlyMap<number, Buffer>): Promise<Map<number, number>> {
    const connection = await this.#cluster.connection(this.#pool, leader);
    const { topic } = this.#cluster.target;
    const { responses } = await produce.async(connection, topic, batches);
    return offsetsIn(responses);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #begin(): Promise<Identity> {
    const connection = await this.#cluster.anyConnection(this.#pool);
    const { producerId, producerEpoch } = await initProducerIdV4.api.async(connection, null, 0);
    return { producerId, producerEpoch };
  }
}

type Identity = Pick<
  ReturnType<typeof initProducerIdV4.parseResponse>,
  'producerId' | 'producerEpoch'
>;

/** Sequences begin again at 0 behind the largest number of 31 bits. */
const sequencesEnd = 2 ** 31;

export type ProduceAnswer = ReturnType<typeof produceV9.parseResponse>;

const produce = createAPI<[topic: string, batches: ReadonlyMap<number, Buffer>], ProduceAnswer>(
  produceV9.api.key,
  produceV9.api.version,
  (topic, batches) =>
    Writer.create()
      .appendString(undefined)
      .appendInt16(ProduceAcks.ALL)
      .appendInt32(limits.kafkaAnswerMs)
      .appendArray([topic], (writer, name) => {
        writer.appendString(name).appendArray([...batches], (part, [partition, bytes]) => {
          part
            .appendInt32(partition)
            .appendUnsignedVarInt(bytes.length + 1)
            .append(bytes);
        });
      })
      .appendTaggedFields(),
  produceV9.parseResponse,
);

/** By partition, those that were written. */
export function offsetsIn(responses: ProduceAnswer['responses']): Map<number, number> {
  const offsets = new Map<number, number>();
  for (const { partitionResponses } of responses) {
    for (const { index, errorCode, baseOffset } of partitionResponses) {
      if (errorCode === 0 && baseOffset >= 0n) offsets.set(index, Number(baseOffset));
    }
  }
  return offsets;
}
