import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { type Event, hasSameContent } from '../../event/event.ts';
import type { Position } from '../event-log.ts';

/** An event that this process has written, or is about to write. */
export interface RecentEvent {
  readonly event: Event;
  /** Rejects when it is not known whether it was written. */
  readonly written: Promise<Position>;
}

/**
 * What this process wrote a moment ago, by id, so that a repeat is told from a
 * first before the archive has it. Bounded in number and age; other processes
 * do not see it, and the archive has the last word.
 */
export class RecentIds {
  readonly #clock: Clock;
  readonly #events = new Map<string, RecentEvent & { readonly atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(id: string): RecentEvent | undefined {
    return this.#events.get(id);
  }

  /** Forgotten again when it turns out that it may not have been written. */
  add(event: Event, written: Promise<Position>): void {
    this.#forgetOld();
    const kept = { event, written, atMs: this.#clock.monotonicMs() };
    this.#events.set(event.id, kept);
    written.catch(() => {
      if (this.#events.get(event.id) === kept) this.#events.delete(event.id);
    });
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

export function isRepeat({ event }: Pick<RecentEvent, 'event'>, other: Event): boolean {
  return hasSameContent(event, other);
}
