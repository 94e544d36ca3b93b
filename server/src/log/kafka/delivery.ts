import type { TraceContext } from '../../base/tracing.ts';
import type { NewEvent } from '../../event/event.ts';
import type { Position } from '../event-log.ts';

/**
 * The events of one append on their way to their partitions, in order, and what
 * became of each: told all at once, because a promise for every event of a
 * batch would cost as much as writing it.
 */
export class Delivery {
  readonly events: NewEvent[] = [];
  readonly partitions: number[] = [];
  /** Resolves when every event has an outcome; never rejects. */
  readonly settled: Promise<void>;
  readonly settle: () => void;
  readonly #positions: (Position | undefined)[] = [];
  /** By their places, of those that are in a trace; none where nothing is traced. */
  #traces: Map<number, TraceContext> | undefined;
  /** Why an event may not have been written; empty as long as all were. */
  readonly #faults = new Map<number, unknown>();

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.settled = promise;
    this.settle = resolve;
  }

  /** The answer is its place in the delivery. */
  add(event: NewEvent, partition: number, trace: TraceContext | undefined): number {
    this.partitions.push(partition);
    const index = this.events.push(event) - 1;
    if (trace === undefined) return index;
    this.#traces ??= new Map();
    this.#traces.set(index, trace);
    return index;
  }

  traceAt(index: number): TraceContext | undefined {
    return this.#traces?.get(index);
  }

  written(index: number, position: Position): void {
    this.#positions[index] = position;
  }

  /** What is known to be written stays so. */
  failed(index: number, fault: unknown): void {
    if (this.#positions[index] === undefined) this.#faults.set(index, fault);
  }

  /** Undefined when it is not known whether the event was written. */
  positionAt(index: number): Position | undefined {
    return this.#positions[index];
  }

  get faults(): ReadonlyMap<number, unknown> {
    return this.#faults;
  }
}
