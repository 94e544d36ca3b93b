import type { Instant } from '../base/clock.ts';
import { minuteMs } from '../event/minute.ts';
import type { CountDifference, FrozenMinute } from './event-store.ts';

/** The count of one minute, type and currency. */
export interface MinuteCount {
  readonly minute: Instant;
  readonly eventType: string;
  readonly currency: string;
  readonly eventCount: number;
  readonly total: bigint;
}

/** Part of the time, `[from, to)`, on whole minutes. */
export interface Stretch {
  readonly from: Instant;
  readonly to: Instant;
}

/** Where the counts that were kept differ from those that the events give. */
export function compareCounts(
  counted: Iterable<MinuteCount>,
  recomputed: Iterable<MinuteCount>,
): readonly CountDifference[] {
  const found = new Map<string, CountDifference>();
  for (const count of counted) {
    const { minute, eventType, currency } = count;
    const sums = { counted: sumsOf(count), recomputed: nothing };
    found.set(keyOf(count), { minute, eventType, currency, ...sums });
  }
  for (const count of recomputed) {
    const { minute, eventType, currency } = count;
    const sums = {
      counted: found.get(keyOf(count))?.counted ?? nothing,
      recomputed: sumsOf(count),
    };
    found.set(keyOf(count), { minute, eventType, currency, ...sums });
  }
  return [...found.values()].filter(
    ({ counted, recomputed }) =>
      counted.eventCount !== recomputed.eventCount || counted.total !== recomputed.total,
  );
}

/** What the counts of these minutes have beyond their events. */
export function frozenMinutesOf(
  minutes: readonly Instant[],
  differences: readonly CountDifference[],
): readonly FrozenMinute[] {
  const byMinute = Map.groupBy(differences, ({ minute }) => minute);
  return minutes.map((minute) => ({
    minute,
    removed: (byMinute.get(minute) ?? []).map(({ eventType, currency, counted, recomputed }) => ({
      eventType,
      currency,
      eventCount: counted.eventCount - recomputed.eventCount,
      total: counted.total - recomputed.total,
    })),
  }));
}

/**
 * Ascending minutes cut into stretches of about `events` events each, so that a
 * pass over all of them never holds a long transaction.
 */
export function cutStretches(
  minutes: readonly { readonly minute: Instant; readonly events: number }[],
  events: number,
): readonly Stretch[] {
  const stretches: Stretch[] = [];
  let from: Instant | undefined;
  let size = 0;
  for (const row of minutes) {
    if (from !== undefined && size + row.events > events) {
      stretches.push({ from, to: row.minute });
      from = undefined;
      size = 0;
    }
    from ??= row.minute;
    size += row.events;
  }
  const last = minutes.at(-1);
  if (from !== undefined && last !== undefined)
    stretches.push({ from, to: last.minute + minuteMs });
  return stretches;
}

/** Ascending minutes as stretches of those that follow each other: what lies between is not read. */
export function adjacentStretches(minutes: readonly Instant[]): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (const minute of minutes) {
    const last = stretches.at(-1);
    const to = minute + minuteMs;
    if (last?.to === minute) stretches[stretches.length - 1] = { from: last.from, to };
    else stretches.push({ from: minute, to });
  }
  return stretches;
}

const nothing = { eventCount: 0, total: 0n };

function sumsOf({ eventCount, total }: MinuteCount) {
  return { eventCount, total };
}

function keyOf({ minute, eventType, currency }: MinuteCount): string {
  return `${minute} ${eventType} ${currency}`;
}
