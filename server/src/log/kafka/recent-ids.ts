import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { Event } from '../../event/event.ts';
import { type RemovedEvent, removedEventOf } from '../../event/removed-event.ts';
import type { Position } from '../event-log.ts';
import type { Delivery } from './delivery.ts';

/** An event that this process has written, or is about to write. */
export interface RecentEvent {
  /** Without its metadata, which may be large: what tells a repeat stays of it. */
  readonly event: Event | RemovedEvent;
  readonly atMs: number;
  /** With which it goes, and its place there; let go once it is written, as others may go with it. */
  delivery: Delivery | undefined;
  readonly index: number;
  /** Undefined until it is known to be written. */
  position: Position | undefined;
}

/**
 * What this process wrote a moment ago, by id, so that a repeat is told from a
 * first before the archive has it. Bounded in number and age; other processes
 * do not see it, and the archive has the last word.
 */
export class RecentIds {
  readonly #clock: Clock;
  readonly #events = new Map<string, RecentEvent>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(id: string): RecentEvent | undefined {
    return this.#events.get(id);
  }

  add(event: Event, delivery: Delivery, index: number): RecentEvent {
    this.#forgetOld();
    const atMs = this.#clock.monotonicMs();
    const kept = event.metadata === undefined ? event : removedEventOf(event);
    const recent = { event: kept, atMs, delivery, index, position: undefined };
    this.#events.set(event.id, recent);
    return recent;
  }

  /** Its delivery is settled: forgotten again when it may not have been written. */
  settle(recent: RecentEvent): void {
    const position = recent.delivery?.positionAt(recent.index);
    if (position !== undefined) {
      recent.position = position;
      recent.delivery = undefined;
    } else if (this.#events.get(recent.event.id) === recent) {
      this.#events.delete(recent.event.id);
    }
  }

  #forgetOld(): void {
    const oldestMs = this.#clock.monotonicMs() - limits.kafkaRecentMs;
    // A map keeps the order in which its keys came.
    for (const [id, { atMs }] of this.#events) {
      if (atMs >= oldestMs && this.#events.size < limits.kafkaRecentIds) return;
      this.#events.delete(id);
    }
  }
}
