import { Admin, type BaseOptions, type Connection, ConnectionPool } from '@platformatic/kafka';
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { within } from '../../base/within.ts';
import { type FetchedPartition, fetchRecords } from './fetch.ts';
import { kafkaFault, unavailable } from './kafka-faults.ts';
import type { KafkaTarget } from './kafka-target.ts';

/** The topic as the brokers say it is now. */
export interface TopicFacts {
  /** A UUID, new for each topic that is made. */
  readonly id: string;
  /** In their order. */
  readonly partitions: readonly PartitionFacts[];
}

export interface PartitionFacts {
  /** The broker's number; -1 while there is none. */
  readonly leader: number;
  readonly replicas: number;
  readonly inSync: number;
}

/** Of a partition; equal where it holds nothing. */
export interface Extent {
  readonly first: number;
  readonly end: number;
}

/** `earliest` is the first record that is still there, `latest` the place after the last. */
export type OffsetSpec = 'earliest' | 'latest' | number;

/** What the log asks of its brokers besides writing. Every failure is a HubError. */
export class KafkaCluster {
  readonly target: KafkaTarget;
  readonly #clock: Clock;
  readonly #admin: Admin;
  #pool: ConnectionPool | undefined;
  #brokers: ReadonlyMap<number, { readonly host: string; readonly port: number }> = new Map();
  #facts: TopicFacts | undefined;

  constructor(target: KafkaTarget, clock: Clock) {
    this.target = target;
    this.#clock = clock;
    this.#admin = new Admin(clientOptions(target));
    hearAll(this.#admin.connections);
  }

  get admin(): Admin {
    return this.#admin;
  }

  /** Undefined when there is no such topic. */
  async topic(): Promise<TopicFacts | undefined> {
    const { topic } = this.target;
    const metadata = await this.ask(
      this.#admin.metadata({ topics: [topic], forceUpdate: true }).catch((reason) => {
        // The client says it in words only.
        if (reason instanceof Error && reason.message.startsWith('Unknown topic')) return undefined;
        throw reason;
      }),
    );
    const found = metadata?.topics.get(topic);
    if (metadata === undefined || found === undefined) return undefined;
    this.#brokers = metadata.brokers;
    this.#facts = {
      id: found.id,
      partitions: found.partitions.map(({ leader, replicas, isr }) => ({
        leader,
        replicas: replicas.length,
        inSync: isr.length,
      })),
    };
    return this.#facts;
  }

  /** As last seen; looked up when it never was. */
  async knownTopic(): Promise<TopicFacts> {
    const facts = this.#facts ?? (await this.topic());
    if (facts === undefined) throw unavailable(`${this.target.shown} has no such topic`);
    return facts;
  }

  /** What was seen may have moved: the next look asks again. */
  forgetLeaders(): void {
    this.#facts = undefined;
  }

  /** By partition. A time in milliseconds finds the first record that is no older, or nothing. */
  async offsets(
    partitions: readonly number[],
    spec: OffsetSpec,
  ): Promise<ReadonlyMap<number, number | undefined>> {
    if (partitions.length === 0) return new Map();
    const timestamp = spec === 'earliest' ? -2n : spec === 'latest' ? -1n : BigInt(spec);
    const [listed] = await this.ask(
      this.#admin.listOffsets({
        topics: [
          {
            name: this.target.topic,
            partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp })),
          },
        ],
      }),
    );
    return new Map(
      listed?.partitions.map(({ partitionIndex, offset }) => [
        partitionIndex,
        offset < 0n ? undefined : Number(offset),
      ]),
    );
  }

  /** By partition: the first record that is still there, and the place after the last. */
  async extents(partitions: readonly number[]): Promise<ReadonlyMap<number, Extent>> {
    const [oldest, ends] = await Promise.all([
      this.offsets(partitions, 'earliest'),
      this.offsets(partitions, 'latest'),
    ]);
    return new Map(
      partitions.map((at) => [at, { first: oldest.get(at) ?? 0, end: ends.get(at) ?? 0 }]),
    );
  }

  /** For requests that no broker makes wait. */
  get pool(): ConnectionPool {
    this.#pool ??= this.openPool();
    return this.#pool;
  }

  /** A way to the brokers of its own, so that nobody waits behind a reader that waits. */
  openPool(): ConnectionPool {
    const { clientId, tls, sasl, connectTimeout, requestTimeout } = clientOptions(this.target);
    const pool = new ConnectionPool(clientId, {
      connectTimeout,
      requestTimeout,
      ...(tls === undefined ? {} : { tls }),
      ...(sasl === undefined ? {} : { sasl }),
    } as ConstructorParameters<typeof ConnectionPool>[1]);
    hearAll(pool);
    return pool;
  }

  /** To the broker with this number, as last seen. */
  async connection(pool: ConnectionPool, broker: number): Promise<Connection> {
    const address = this.#brokers.get(broker);
    if (address === undefined) throw unavailable(`${this.target.shown} has no leader`);
    return await pool.get(address);
  }

  /** To any of the brokers that were seen. */
  async anyConnection(pool: ConnectionPool): Promise<Connection> {
    await this.knownTopic();
    return await pool.getFirstAvailable([...this.#brokers.values()]);
  }

  /** Of partitions with one leader, from an offset each. */
  async fetch(
    pool: ConnectionPool,
    leader: number,
    topicId: string,
    from: ReadonlyMap<number, number>,
    waitMs: number,
  ): Promise<readonly FetchedPartition[]> {
    const partitions = [...from].map(([partition, offset]) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: limits.kafkaPartitionFetchBytes,
    }));
    const answer = (async () => {
      const connection = await this.connection(pool, leader);
      const topics = [{ topicId, partitions }];
      const maxBytes = limits.kafkaFetchBytes;
      return await fetchRecords.async(connection, waitMs, 1, maxBytes, 0, 0, -1, topics, [], '');
    })();
    return await this.ask(answer, waitMs);
  }

  async ask<T>(answer: Promise<T>, besidesMs = 0): Promise<T> {
    const { shown } = this.target;
    const ms = limits.kafkaAnswerMs + besidesMs;
    try {
      return await within(this.#clock, ms, answer, `Kafka at ${shown} did not answer in ${ms} ms`);
    } catch (reason) {
      throw kafkaFault(reason, shown);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#admin.close(), this.#pool?.close()]);
  }
}

/**
 * The driver says twice that a connection has failed which breaks while it signs
 * in. The pool hears the first only, and what nobody hears would end the process.
 */
export function hearAll(pool: ConnectionPool): void {
  pool.on('connecting', ({ connection }) => {
    connection.on('error', () => undefined);
  });
}

export function partitionsOf({ partitions }: TopicFacts): readonly number[] {
  return partitions.map((_, partition) => partition);
}

/** What every client of the log has in common. */
export function clientOptions({ brokers, tls, sasl }: KafkaTarget) {
  return {
    clientId: 'event-hub',
    bootstrapBrokers: [...brokers],
    connectTimeout: limits.kafkaConnectMs,
    requestTimeout: limits.kafkaAnswerMs,
    retries: limits.kafkaRetries,
    retryDelay: limits.kafkaRetryMs,
    autocreateTopics: false,
    ...(tls === undefined ? {} : { tls: { ...tls } }),
    ...(sasl === undefined ? {} : { sasl: { ...sasl } }),
  } as BaseOptions;
}
