import type { Instant } from '../../base/clock.ts';
import { totalBase } from './schema.ts';

const minuteMs = 60_000;

/** What one transaction adds to the counts of one minute, type and currency. */
export interface Tally {
  readonly minute: Instant;
  readonly eventType: string;
  readonly currency: string;
  eventCount: number;
  lateCount: number;
  high: bigint;
  low: bigint;
  firstPosition: number;
  lastPosition: number;
}

export function minuteOf(instant: Instant): Instant {
  return Math.floor(instant / minuteMs) * minuteMs;
}

/** Adds events up in memory, so that a commit writes each count once however many events it holds. */
export class CountTally {
  readonly #tallies = new Map<string, Tally>();
  #last: Tally | undefined;

  add(
    minute: Instant,
    eventType: string,
    currency: string,
    amount: bigint,
    position: number,
    late: boolean,
  ): void {
    const tally = this.#find(minute, eventType, currency, position);
    tally.eventCount += 1;
    if (late) tally.lateCount += 1;
    tally.high += amount / totalBase;
    tally.low += amount % totalBase;
    if (position < tally.firstPosition) tally.firstPosition = position;
    if (position > tally.lastPosition) tally.lastPosition = position;
  }

  values(): Iterable<Tally> {
    return this.#tallies.values();
  }

  #find(minute: Instant, eventType: string, currency: string, position: number): Tally {
    const last = this.#last;
    if (
      last !== undefined &&
      last.minute === minute &&
      last.eventType === eventType &&
      last.currency === currency
    ) {
      return last;
    }
    const key = `${minute} ${eventType} ${currency}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      tally = {
        minute,
        eventType,
        currency,
        eventCount: 0,
        lateCount: 0,
        high: 0n,
        low: 0n,
        firstPosition: position,
        lastPosition: position,
      };
      this.#tallies.set(key, tally);
    }
    this.#last = tally;
    return tally;
  }
}
