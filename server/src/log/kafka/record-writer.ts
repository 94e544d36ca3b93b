import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { within } from '../../base/within.ts';
import { fingerprintOf } from '../../event/fingerprint.ts';
import type { Delivery } from './delivery.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { errorsIn, kafkaFault, protocolCodeOf, replaced, unavailable } from './kafka-faults.ts';
import { formatPosition, markOf, type TopicMark } from './kafka-position.ts';
import { toRecord } from './kafka-record.ts';
import { murmur2 } from './murmur2.ts';
import type { ProduceAnswer } from './produce.ts';
import { offsetsIn, ProducerSession } from './producer-session.ts';
import { type RecordBatch, RecordBatchBuilder } from './record-batch.ts';

/** What is written together: at most one batch of each partition. */
interface Unit {
  /** The places of its events in the delivery. */
  readonly indexes: readonly number[];
  readonly batches: ReadonlyMap<number, RecordBatch>;
}

/** A unit on its way. */
interface Sending {
  /** The offset of the first record, by partition, of what was written so far. */
  readonly written: Map<number, number>;
  /** Of the topic that it is meant for. */
  readonly mark: TopicMark;
}

/**
 * Writes events, in their order within a partition: one unit at a time, by an
 * idempotent producer with `acks=all`, so that a request that is sent again is
 * written once. While the brokers work on one unit the next ones are made ready.
 */
export class RecordWriter {
  readonly #cluster: KafkaCluster;
  readonly #clock: Clock;
  readonly #builders = new Map<number, RecordBatchBuilder>();
  #session: ProducerSession | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(cluster: KafkaCluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  /** Settles the delivery; never rejects. */
  write(delivery: Delivery, mark: TopicMark): Promise<void> {
    if (delivery.events.length === 0) {
      delivery.settle();
      return delivery.settled;
    }
    let units: readonly Unit[];
    try {
      units = this.#unitsOf(delivery);
    } catch (reason) {
      // Whoever repeats one of its events waits until it is settled.
      for (const index of delivery.events.keys()) delivery.failed(index, reason);
      delivery.settle();
      return delivery.settled;
    }
    const done = this.#last.then(async () => {
      let fault: unknown;
      for (const unit of units) {
        // After a failure no more are sent.
        fault ??= await this.#send(unit, delivery, mark);
        if (fault !== undefined) for (const index of unit.indexes) delivery.failed(index, fault);
      }
      delivery.settle();
    });
    this.#last = done;
    return done;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#session?.close();
  }

  /** A broker takes a partition's batch only up to a size. */
  #unitsOf(delivery: Delivery): readonly Unit[] {
    const { events, partitions } = delivery;
    const units: Unit[] = [];
    let indexes: number[] = [];
    // What a failure on the way here left behind belongs to nobody.
    for (const builder of this.#builders.values()) builder.clear();
    for (const [index, event] of events.entries()) {
      const record = toRecord(event, delivery.traceAt(index));
      const builder = this.#builderOf(partitions[index] ?? 0);
      if (!builder.isEmpty && builder.bytesWith(record) > limits.kafkaBatchBytes) {
        units.push({ indexes, batches: this.#build() });
        indexes = [];
      }
      builder.add(record);
      indexes.push(index);
    }
    units.push({ indexes, batches: this.#build() });
    return units;
  }

  #builderOf(partition: number): RecordBatchBuilder {
    let builder = this.#builders.get(partition);
    if (builder === undefined) {
      builder = new RecordBatchBuilder();
      this.#builders.set(partition, builder);
    }
    return builder;
  }

  #build(): ReadonlyMap<number, RecordBatch> {
    const { compression } = this.#cluster.target;
    const batches = new Map<number, RecordBatch>();
    for (const [partition, builder] of this.#builders) {
      if (!builder.isEmpty) batches.set(partition, builder.build(compression));
    }
    return batches;
  }

  /** Answers the fault, if any. */
  async #send(unit: Unit, delivery: Delivery, mark: TopicMark): Promise<unknown> {
    // A session begun now would be closed by nobody.
    if (this.#isClosed) return unavailable('the log is closed');
    const { shown } = this.#cluster.target;
    const ms = limits.kafkaAnswerMs;
    const written = new Map<number, number>();
    this.#session ??= new ProducerSession(this.#cluster);
    const session = this.#session;
    try {
      const sent = this.#sendAll(session, unit, { written, mark });
      await within(this.#clock, ms, sent, `Kafka at ${shown} did not answer in ${ms} ms`);
      for (const index of tellWritten(unit, delivery, written, mark)) {
        const silent = `partition ${delivery.partitions[index]} ends`;
        delivery.failed(index, unavailable(`Kafka at ${shown} did not say where ${silent}`));
      }
      return undefined;
    } catch (reason) {
      tellWritten(unit, delivery, written, mark);
      // What failed may still be under way, with sequence numbers that the next request must not meet.
      this.#session = undefined;
      void session.close().catch(() => undefined);
      return kafkaFault(reason, shown);
    }
  }

  /** Until every batch is written, each with its one number however often it is sent; what fails for long rejects. */
  async #sendAll(session: ProducerSession, { batches }: Unit, sending: Sending): Promise<void> {
    let waiting: Map<number, Buffer> | undefined;
    const startedMs = this.#clock.monotonicMs();
    let failures = 0;
    for (;;) {
      let fault: unknown;
      try {
        waiting ??= new Map(await session.number(batches));
        fault = await this.#sendOnce(session, waiting, sending);
      } catch (reason) {
        fault = reason;
      }
      for (const partition of sending.written.keys()) waiting?.delete(partition);
      if (fault === undefined || waiting?.size === 0) return;
      const isEarly = this.#clock.monotonicMs() - startedMs < limits.kafkaSettleMs;
      if (!(isEarly && isSettling(fault))) {
        if (failures >= limits.kafkaRetries || !mayPass(fault)) throw fault;
        failures += 1;
      }
      await this.#clock.sleep(limits.kafkaRetryMs);
      if (this.#session !== session) throw fault;
      this.#cluster.forgetLeaders();
    }
  }

  /** To all their leaders at once. Answers a fault of one of them, if any. */
  async #sendOnce(
    session: ProducerSession,
    batches: ReadonlyMap<number, Buffer>,
    { written, mark }: Sending,
  ): Promise<unknown> {
    const topic = await this.#cluster.knownTopic();
    // Before Kafka 4.1 a request names the topic only: one that took its place would take the events too.
    if (markOf(topic).topicId !== mark.topicId) throw replaced(this.#cluster.target.shown);
    const { partitions } = topic;
    const byLeader = Map.groupBy(batches, ([partition]) => partitions[partition]?.leader ?? -1);
    let fault: unknown;
    const sends = [...byLeader].map(async ([leader, part]) => {
      try {
        const offsets = await session.send(leader, topic.id, new Map(part));
        for (const [partition, offset] of offsets) written.set(partition, offset);
      } catch (reason) {
        for (const [partition, offset] of writtenBeside(reason)) written.set(partition, offset);
        fault ??= reason;
      }
    });
    await Promise.all(sends);
    return fault;
  }
}

const settling: ReadonlySet<string> = new Set([
  // Another broker leads the partition, or will in a moment.
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  // The broker asks its controller for producer ids: the first time, and for every thousand.
  'COORDINATOR_LOAD_IN_PROGRESS',
]);

function isSettling(fault: unknown): boolean {
  return settling.has(protocolCodeOf(fault) ?? '');
}

/** Whether another try, with leaders looked up anew, may find it gone: what Kafka says of it, where it says anything. */
function mayPass(fault: unknown): boolean {
  const verdicts = [...errorsIn(fault)].flatMap((error) =>
    'canRetry' in error ? [error.canRetry === true] : [],
  );
  return verdicts.length === 0 || verdicts.includes(true);
}

/** Tells each its position, from the first of its partition on; answers those of partitions that are not there. */
function tellWritten(
  { indexes }: Unit,
  delivery: Delivery,
  firsts: ReadonlyMap<number, number>,
  mark: TopicMark,
): readonly number[] {
  const next = new Map(firsts);
  const rest: number[] = [];
  for (const index of indexes) {
    const event = delivery.events[index];
    const partition = delivery.partitions[index] ?? 0;
    const offset = next.get(partition);
    if (event === undefined || offset === undefined || offset < 0) {
      rest.push(index);
      continue;
    }
    next.set(partition, offset + 1);
    const place = { partition, offset, fingerprint: fingerprintOf(event) };
    delivery.written(index, formatPosition(place, mark));
  }
  return rest;
}

/** What a failed request wrote all the same: each of its partitions succeeds or fails by itself. */
function writtenBeside(reason: unknown): ReadonlyMap<number, number> {
  // A refusal of the question which versions there are has an answer too, and no partitions in it.
  const { response } = reason as { readonly response?: Partial<ProduceAnswer> };
  return offsetsIn(response?.partitions ?? []);
}

/** As Kafka's own producers do, so that others that write by user meet ours. */
export function partitionOf(userId: string, partitions: number): number {
  return (murmur2(Buffer.from(userId)) & 0x7fffffff) % partitions;
}
