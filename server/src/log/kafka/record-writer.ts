import { murmur2, Producer } from '@platformatic/kafka';
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { within } from '../../base/within.ts';
import { fingerprintOf } from '../../event/fingerprint.ts';
import type { Delivery } from './delivery.ts';
import { clientOptions, hearAll } from './kafka-cluster.ts';
import { errorsIn, kafkaFault, unavailable } from './kafka-faults.ts';
import { formatPosition, type TopicMark } from './kafka-position.ts';
import { type OutgoingRecord, toRecord } from './kafka-record.ts';
import type { KafkaTarget } from './kafka-target.ts';

type Message = OutgoingRecord & { readonly topic: string; readonly partition: number };

/** What goes in one request. */
interface Unit {
  /** The places of its events in the delivery. */
  readonly indexes: number[];
  readonly messages: Message[];
  readonly bytes: Map<number, number>;
}

/**
 * Writes events, in their order within a partition: one request at a time, by an
 * idempotent producer with `acks=all`, so that a request that is sent again is
 * written once.
 */
export class RecordWriter {
  readonly #target: KafkaTarget;
  readonly #clock: Clock;
  #producer: Producer<Buffer, Buffer, Buffer, Buffer>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(target: KafkaTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
    this.#producer = openProducer(target);
  }

  /** Settles the delivery; never rejects. */
  write(delivery: Delivery, mark: TopicMark): Promise<void> {
    if (delivery.events.length === 0) {
      delivery.settle();
      return delivery.settled;
    }
    const units = this.#unitsOf(delivery);
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
    await this.#producer.close(true);
  }

  /** Each partition's part of a unit is one record batch, which a broker takes only up to a size. */
  #unitsOf({ events, partitions }: Delivery): readonly Unit[] {
    const { topic } = this.#target;
    const units: Unit[] = [];
    let unit: Unit | undefined;
    for (const [index, event] of events.entries()) {
      const partition = partitions[index] ?? 0;
      const record = toRecord(event);
      const bytes = record.value.length + record.key.length + event.id.length + 100;
      const filled = unit?.bytes.get(partition) ?? 0;
      if (unit === undefined || (filled > 0 && filled + bytes > limits.kafkaBatchBytes)) {
        unit = { indexes: [], messages: [], bytes: new Map() };
        units.push(unit);
      }
      unit.bytes.set(partition, (unit.bytes.get(partition) ?? 0) + bytes);
      unit.indexes.push(index);
      unit.messages.push({ ...record, topic, partition });
    }
    return units;
  }

  /** Answers the fault, if any. */
  async #send(unit: Unit, delivery: Delivery, mark: TopicMark): Promise<unknown> {
    const { messages, bytes } = unit;
    const { compression, shown } = this.#target;
    const size = [...bytes.values()].reduce((sum, each) => sum + each, 0);
    const ms = limits.kafkaAnswerMs;
    try {
      const sent = this.#producer.send({
        messages,
        compression: size < limits.kafkaCompressBytes ? 'none' : compression,
      });
      const late = `Kafka at ${shown} did not answer in ${ms} ms`;
      const { offsets = [] } = await within(this.#clock, ms, sent, late);
      const written = new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
      for (const index of tellWritten(unit, delivery, written, mark)) {
        const silent = `partition ${delivery.partitions[index]} ends`;
        delivery.failed(index, unavailable(`Kafka at ${shown} did not say where ${silent}`));
      }
      return undefined;
    } catch (reason) {
      tellWritten(unit, delivery, writtenBeside(reason), mark);
      // What failed may still be under way in it, with sequence numbers that the next request must not meet.
      const failed = this.#producer;
      this.#producer = openProducer(this.#target);
      void failed.close(true).catch(() => undefined);
      return kafkaFault(reason, shown);
    }
  }
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

/** What a failed request wrote all the same: an answer, and each of its partitions, succeeds or fails by itself. */
function writtenBeside(reason: unknown): ReadonlyMap<number, number> {
  const written = new Map<number, number>();
  for (const error of errorsIn(reason)) {
    const { response, produced } = error as Partial<PartlyProduced>;
    for (const { partition, offset } of produced?.offsets ?? []) {
      written.set(partition, Number(offset));
    }
    for (const { partitionResponses = [] } of response?.responses ?? []) {
      for (const { index, errorCode, baseOffset } of partitionResponses) {
        if (errorCode === 0) written.set(index, Number(baseOffset));
      }
    }
  }
  return written;
}

/** What the driver adds to its errors: the answers of the brokers that took all, and the one that did not. */
interface PartlyProduced {
  readonly produced: { readonly offsets?: Awaited<ReturnType<Producer['send']>>['offsets'] };
  readonly response: {
    readonly responses?: readonly {
      readonly partitionResponses?: readonly {
        readonly index: number;
        readonly errorCode: number;
        readonly baseOffset: bigint;
      }[];
    }[];
  };
}

function openProducer(target: KafkaTarget): Producer<Buffer, Buffer, Buffer, Buffer> {
  const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
    ...clientOptions(target),
    idempotent: true,
  });
  hearAll(producer.connections);
  return producer;
}

/** As Kafka's own producers do, so that others that write by user meet ours. */
export function partitionOf(userId: string, partitions: number): number {
  return (murmur2(Buffer.from(userId)) & 0x7fffffff) % partitions;
}
