import type { Instant } from '../base/clock.ts';

export const minuteMs = 60_000;

/** A minute is reported this long after its end; what is counted later is late. */
const minuteGraceMs = 5_000;

export function minuteOf(instant: Instant): Instant {
  return Math.floor(instant / minuteMs) * minuteMs;
}

/** Whether an event of this minute, counted now, comes after its minute was reported. */
export function isLate(minute: Instant, now: Instant): boolean {
  return minute + minuteMs + minuteGraceMs <= now;
}
