import type { ConnectionPool, RecordsBatch } from '@platformatic/kafka';
import { limits } from '../../base/limits.ts';
import { positionGone } from '../../event/position-faults.ts';
import type { LogEntry, UnreadableEntry } from '../event-log.ts';
import { batchesIn, type FetchedPartition } from './fetch.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { unavailable } from './kafka-faults.ts';
import {
  formatPosition,
  type KafkaPlace,
  shardOf,
  type TopicMark,
  unseen,
} from './kafka-position.ts';
import { parseRecord, traceOf } from './kafka-record.ts';

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

/** A part of what one answer came to, each partition in its order. */
export interface ReadBatch {
  readonly entries: readonly LogEntry[];
  /** Behind so many of the entries. */
  readonly unreadable: readonly { readonly after: number; readonly entry: UnreadableEntry }[];
}

/** The broker does not know the topic by its id: it is another one, or the broker has not heard of it yet. */
export class TopicUnknown extends Error {}

interface Reading {
  next: number;
  toVerify: KafkaPlace | undefined;
  readonly until: number | undefined;
}

type Answer =
  | { readonly leader: number; readonly fetched: readonly FetchedPartition[] }
  | { readonly leader: number; readonly fault: unknown };

interface Taken {
  /** Of all its records, decompressed. */
  bytes: number;
  readonly entries: LogEntry[];
  readonly unreadable: { after: number; entry: UnreadableEntry }[];
}

const errors = { offsetOutOfRange: 1, unknownTopicId: 100, inconsistentTopicId: 103 };
const isControl = 1 << 5;

/** Goes through partitions of the topic, a fetch of each leader at a time, and notices when they are no longer the same. */
export class PartitionReader {
  readonly #cluster: KafkaCluster;
  readonly #pool: ConnectionPool;
  readonly #topicId: string;
  readonly #mark: TopicMark;
  readonly #waitMs: number;
  readonly #readings = new Map<number, Reading>();
  readonly #pending = new Map<number, Promise<Answer>>();
  /** What is left of the answer that is being taken; nothing where that has failed. */
  #taking: Generator<ReadBatch, void> | undefined;

  constructor(
    cluster: KafkaCluster,
    deps: {
      readonly pool: ConnectionPool;
      readonly topicId: string;
      readonly mark: TopicMark;
      /** How long a broker that has nothing may keep us waiting. */
      readonly waitMs: number;
    },
    starts: readonly Start[],
  ) {
    this.#cluster = cluster;
    this.#pool = deps.pool;
    this.#topicId = deps.topicId;
    this.#mark = deps.mark;
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

  /**
   * What the first leader that answers has, a part at a time: of what is left of an answer no more is held than the
   * broker sent, which may be hundreds of times as much when it is decompressed.
   */
  async next(): Promise<ReadBatch> {
    for (;;) {
      this.#taking ??= this.#take(await this.#answer());
      const { value } = this.#taking.next();
      if (value !== undefined) return value;
      this.#taking = undefined;
    }
  }

  /** Of the first leader that answers. One that fails leaves the others under way. */
  async #answer(): Promise<readonly FetchedPartition[]> {
    const { partitions } = await this.#cluster.knownTopic();
    const byLeader = new Map<number, number[]>();
    for (const [partition, reading] of this.#readings) {
      if (isDone(reading)) continue;
      const leader = partitions[partition]?.leader ?? -1;
      if (leader < 0) continue;
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition]);
    }
    for (const [leader, mine] of byLeader) {
      if (!this.#pending.has(leader)) this.#pending.set(leader, this.#fetch(leader, mine));
    }
    if (this.#pending.size === 0) {
      throw unavailable(`${this.#cluster.target.shown} has partitions without a leader`);
    }
    const answer = await Promise.race(this.#pending.values());
    this.#pending.delete(answer.leader);
    if ('fault' in answer) throw answer.fault;
    return answer.fetched;
  }

  async #fetch(leader: number, partitions: readonly number[]): Promise<Answer> {
    const from = new Map(
      partitions.map((partition) => [partition, this.#readings.get(partition)?.next ?? 0]),
    );
    try {
      const topicId = this.#topicId;
      const fetched = await this.#cluster.fetch(this.#pool, leader, topicId, from, this.#waitMs);
      return { leader, fetched };
    } catch (fault) {
      return { leader, fault };
    }
  }

  /** What one partition gave is not lost because another one failed. */
  *#take(fetched: readonly FetchedPartition[]): Generator<ReadBatch, void> {
    const failed = fetched.find(({ errorCode }) => errorCode !== 0);
    if (failed !== undefined) this.#cluster.forgetLeaders();
    let taken = nothingTaken();
    let found = false;
    for (const part of fetched) {
      const reading = this.#readings.get(part.partition);
      if (reading === undefined || part.errorCode !== 0) continue;
      const before = reading.next;
      try {
        for (const batch of batchesIn(part)) {
          this.#takeBatch(part.partition, batch, reading, taken);
          if (taken.bytes < limits.kafkaTakenBytes) continue;
          yield taken;
          taken = nothingTaken();
        }
      } catch (reason) {
        // It is not read again. What failed is not behind `next`, so that whoever asks on is told.
        yield taken;
        throw reason;
      }
      if (reading.next === before) continue;
      found = true;
      // The answer has room for the first ones asked for: who gave something is asked last next time.
      this.#readings.delete(part.partition);
      this.#readings.set(part.partition, reading);
    }
    if (failed !== undefined && !found) throw faultOf(failed, this.#cluster.target.shown);
    yield taken;
  }

  #takeBatch(partition: number, batch: RecordsBatch, reading: Reading, taken: Taken): void {
    const first = Number(batch.firstOffset);
    if ((batch.attributes & isControl) === 0) {
      for (const record of batch.records) {
        taken.bytes += record.length;
        const offset = first + record.offsetDelta;
        if (offset < reading.next || isPast(reading, offset)) continue;
        this.#takeRecord(partition, offset, record, reading, taken);
      }
    }
    // A batch may end behind its last record.
    reading.next = Math.max(reading.next, first + batch.lastOffsetDelta + 1);
  }

  #takeRecord(
    partition: number,
    offset: number,
    record: Parameters<typeof parseRecord>[0] & Parameters<typeof traceOf>[0],
    reading: Reading,
    { entries, unreadable }: Taken,
  ): void {
    const { event, reason, fingerprint } = parseRecord(record);
    const { toVerify } = reading;
    if (toVerify !== undefined && !isAt(toVerify, offset, fingerprint)) {
      throw positionGone('the log does not hold the entry of this position');
    }
    reading.toVerify = undefined;
    reading.next = offset + 1;
    if (toVerify !== undefined) return;
    const shard = shardOf(partition);
    const position = formatPosition({ partition, offset, fingerprint }, this.#mark);
    if (event !== undefined) {
      const trace = traceOf(record);
      const entry = { shard, position, event };
      entries.push(trace === undefined ? entry : { ...entry, trace });
      return;
    }
    const raw = record.value?.toString('utf8') ?? '';
    const entry = { shard, position, reason: `${partition}/${offset}: ${reason}`, raw };
    unreadable.push({ after: entries.length, entry });
  }
}

function nothingTaken(): Taken {
  return { bytes: 0, entries: [], unreadable: [] };
}

function isAt(place: KafkaPlace, offset: number, fingerprint: string): boolean {
  return place.offset === offset && place.fingerprint === fingerprint;
}

function isDone({ next, until }: Reading): boolean {
  return until !== undefined && next >= until;
}

function isPast({ until }: Reading, offset: number): boolean {
  return until !== undefined && offset >= until;
}

function faultOf({ errorCode, partition }: FetchedPartition, shown: string): Error {
  if (errorCode === errors.offsetOutOfRange) {
    return positionGone('the log no longer holds the entries after this position');
  }
  if (errorCode === errors.unknownTopicId || errorCode === errors.inconsistentTopicId) {
    return new TopicUnknown();
  }
  return unavailable(`Kafka at ${shown} does not give partition ${partition} (${errorCode})`);
}
