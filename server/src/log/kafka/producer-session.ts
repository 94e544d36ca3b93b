import { type Connection, type ConnectionPool, initProducerIdV4 } from '@platformatic/kafka';
import type { KafkaCluster } from './kafka-cluster.ts';
import { type NumberedBatches, type PartitionAnswer, type Produce, produceOf } from './produce.ts';
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
  /** A broker that comes back as another version is met on a connection of its own. */
  readonly #produce = new WeakMap<Connection, Produce>();
  #identity: Identity | undefined;

  constructor(cluster: KafkaCluster) {
    this.#cluster = cluster;
    this.#pool = cluster.openPool();
  }

  /** Numbers batches of partitions, one of each, in the order in which they are to be written. */
  async number(batches: ReadonlyMap<number, RecordBatch>): Promise<NumberedBatches> {
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

  /**
   * To one broker, which leads all these partitions of the topic with this id.
   * The offset of each batch's first record; a fault has what was written all the same.
   */
  async send(
    leader: number,
    topicId: string,
    batches: NumberedBatches,
  ): Promise<Map<number, number>> {
    const connection = await this.#cluster.connection(this.#pool, leader);
    let produce = this.#produce.get(connection);
    if (produce === undefined) {
      produce = await produceOf(connection);
      this.#produce.set(connection, produce);
    }
    const topic = { name: this.#cluster.target.topic, id: topicId };
    const { partitions } = await produce(connection, topic, batches);
    return offsetsIn(partitions);
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

/** By partition, those that were written. */
export function offsetsIn(partitions: readonly PartitionAnswer[]): Map<number, number> {
  const offsets = new Map<number, number>();
  for (const { partition, errorCode, baseOffset } of partitions) {
    if (errorCode === 0 && baseOffset >= 0n) offsets.set(partition, Number(baseOffset));
  }
  return offsets;
}
