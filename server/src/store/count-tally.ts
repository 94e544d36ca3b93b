import type { Instant } from '../base/clock.ts';

/** What one transaction adds to the counts of one minute, type and currency. */
export interface Tally<Place extends number | string> {
  readonly minute: Instant;
  readonly eventType: string;
  readonly currency: string;
  eventCount: number;
  lateCount: number;
  /** In millionths. */
  total: bigint;
  firstPosition: Place;
  lastPosition: Place;
}

/** Adds events up in memory, so that a commit writes each count once however many events it holds. */
export class CountTally<Place extends number | string> {
  readonly #tallies = new Map<string, Tally<Place>>();
  #last: Tally<Place> | undefined;

  add(
    minute: Instant,
    eventType: string,
    currency: string,
    amount: bigint,
    position: Place,
    late: boolean,
  ): void {
    const tally = this.#find(minute, eventType, currency, position);
    tally.eventCount += 1;
    if (late) tally.lateCount += 1;
    tally.total += amount;
    if (position < tally.firstPosition) tally.firstPosition = position;
    if (position > tally.lastPosition) tally.lastPosition = position;
  }

  values(): Iterable<Tally<Place>> {
    return this.#tallies.values();
  }

  #find(minute: Instant, eventType: string, currency: string, position: Place): Tally<Place> {
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
        total: 0n,
        firstPosition: position,
        lastPosition: position,
      };
      this.#tallies.set(key, tally);
    }
    this.#last = tally;
    return tally;
  }
}
