import type { ConnectionPool } from '@platformatic/kafka';
import { limits } from '../../base/limits.ts';
import { positionGone } from '../../event/position-faults.ts';
import type { LogEntry, ReadOptions } from '../event-log.ts';
import type { FetchedPartition, KafkaCluster } from './kafka-cluster.ts';
import { unavailable } from './kafka-faults.ts';
import {
  formatPosition,
  type KafkaPlace,
  shardOf,
  type TopicMark,
  unseen,
} from './kafka-position.ts';
import { parseRecord } from './kafka-record.ts';

/** Where a partition is read on. */
export interface Start {
  readonly partition: number;
  /** The first record to give. */
  readonly next: number;
  /** The record before it must still have this fingerprint; it is read again for that. */
  readonly after: KafkaPlace | undefined;
  /** Nothing from here on is given; undefined for all that comes. */
  readonly until: number | undefined;
}

interface Reading {
  next: number;
  toVerify: KafkaPlace | undefined;
  readonly until: number | undefined;
}

const errors = { offsetOutOfRange: 1, unknownTopicId: 100, inconsistentTopicId: 103 };
const isControl = 1 << 5;

/** Goes through partitions of the topic, a fetch of each leader at a time, and notices when they are no longer the same. */
export class PartitionReader {
  readonly #cluster: KafkaCluster;
  readonly #pool: ConnectionPool;
  readonly #topicId: string;
  readonly #mark: TopicMark;
  readonly #options: Pick<ReadOptions, 'unreadable'>;
  readonly #waitMs: number;
  readonly #readings = new Map<number, Reading>();
  readonly #pending = new Map<number, Promise<readonly [number, readonly FetchedPartition[]]>>();

  constructor(
    cluster: KafkaCluster,
    deps: {
      readonly pool: ConnectionPool;
      readonly topicId: string;
      readonly mark: TopicMark;
      readonly options: Pick<ReadOptions, 'unreadable'>;
      /** How long a broker that has nothing may keep us waiting. */
      readonly waitMs: number;
    },
    starts: readonly Start[],
  ) {
    this.#cluster = cluster;
    this.#pool = deps.pool;
    this.#topicId = deps.topicId;
    this.#mark = deps.mark;
    this.#options = deps.options;
    this.#waitMs = deps.waitMs;
    for (const { partition, next, after, until } of starts) {
      const toVerify = after?.fingerprint === unseen ? undefined : after;
      this.#readings.set(partition, { next: toVerify?.offset ?? next, toVerify, until });
    }
  }

  /** All partitions are read up to where they are to be read. */
  get isDone(): boolean {
    return [...this.#readings.values()].every(isDone);
  }

  /** What the first leader that answers has: of each partition in its order. */
  async next(): Promise<{ readonly found: boolean; readonly entries: readonly LogEntry[] }> {
    const { partitions } = await this.#cluster.knownTopic();
    const byLeader = new Map<number, number[]>();
    for (const [partition, reading] of this.#readings) {
      if (isDone(reading)) continue;
      const leader = partitions[partition]?.leader ?? -1;
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition]);
    }
    for (const [leader, mine] of byLeader) {
      if (!this.#pending.has(leader)) this.#pending.set(leader, this.#fetch(leader, mine));
    }
    const [leader, fetched] = await Promise.race(this.#pending.values());
    this.#pending.delete(leader);
    return this.#take(fetched);
  }

  /** Nothing that is on its way is waited for any more; the next read asks for it again. */
  drop(): void {
    for (const pending of this.#pending.values()) pending.catch(() => undefined);
    this.#pending.clear();
  }

  async #fetch(
    leader: number,
    partitions: readonly number[],
  ): Promise<readonly [number, readonly FetchedPartition[]]> {
    const from = new Map(
      partitions.map((partition) => [partition, this.#readings.get(partition)?.next ?? 0]),
    );
    return [
      leader,
      await this.#cluster.fetch(this.#pool, leader, this.#topicId, from, this.#waitMs),
    ];
  }

  #take(fetched: readonly FetchedPartition[]): {
    readonly found: boolean;
    readonly entries: readonly LogEntry[];
  } {
    const entries: LogEntry[] = [];
    let found = false;
    for (const part of fetched) {
      const reading = this.#readings.get(part.partition);
      if (reading === undefined) continue;
      assertReadable(part, this.#cluster.target.shown);
      const before = reading.next;
      this.#takePartition(part, reading, entries);
      if (reading.next > before) found = true;
    }
    return { found, entries };
  }

  #takePartition({ partition, batches }: FetchedPartition, reading: Reading, entries: LogEntry[]) {
    for (const batch of batches) {
      const first = Number(batch.firstOffset);
      if ((batch.attributes & isControl) === 0) {
        for (const record of batch.records) {
          const offset = first + record.offsetDelta;
          if (offset < reading.next || isPast(reading, offset)) continue;
          this.#takeRecord(partition, offset, record, reading, entries);
        }
      }
      // A batch may end behind its last record.
      reading.next = Math.max(reading.next, first + batch.lastOffsetDelta + 1);
    }
  }

  #takeRecord(
    partition: number,
    offset: number,
    record: Parameters<typeof parseRecord>[0],
    reading: Reading,
    entries: LogEntry[],
  ): void {
    const { event, reason, fingerprint } = parseRecord(record);
    if (reading.toVerify !== undefined) {
      const { toVerify } = reading;
      reading.toVerify = undefined;
      if (toVerify.offset !== offset || toVerify.fingerprint !== fingerprint) {
        throw positionGone('the log does not hold the entry of this position');
      }
      reading.next = offset + 1;
      return;
    }
    reading.next = offset + 1;
    const shard = shardOf(partition);
    const position = formatPosition({ partition, offset, fingerprint }, this.#mark);
    if (event !== undefined) {
      entries.push({ shard, position, event });
      return;
    }
    const raw = record.value?.toString('utf8') ?? '';
    const told = { shard, position, reason: `${partition}/${offset}: ${reason}`, raw };
    this.#options.unreadable?.(told);
  }
}

function isDone({ next, until }: Reading): boolean {
  return until !== undefined && next >= until;
}

function isPast({ until }: Reading, offset: number): boolean {
  return until !== undefined && offset >= until;
}

function assertReadable({ errorCode, partition }: FetchedPartition, shown: string): void {
  if (errorCode === 0) return;
  if (errorCode === errors.offsetOutOfRange) {
    throw positionGone('the log no longer holds the entries after this position');
  }
  if (errorCode === errors.unknownTopicId || errorCode === errors.inconsistentTopicId) {
    throw positionGone('this is another topic than the one that was read');
  }
  throw unavailable(`Kafka at ${shown} does not give partition ${partition} (${errorCode})`);
}

/** Entries of one batch at the most, and no more characters than a reader may hold. */
export function* inBatches(
  entries: readonly LogEntry[],
  limit: number,
): Generator<readonly LogEntry[]> {
  for (let start = 0; start < entries.length; ) {
    let characters = 0;
    let end = start;
    while (end < entries.length && end - start < limit && characters < limits.readCharacters) {
      const { id, userId, metadata } = (entries[end] as LogEntry).event;
      characters += id.length + userId.length + (metadata?.length ?? 0);
      end += 1;
    }
    yield entries.slice(start, end);
    start = end;
  }
}
