import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds since the Unix epoch, UTC. */
export type Instant = number;

/** The only way to the time and to timers, so that a test can hold both. */
export interface Clock {
  now(): Instant;
  /** Milliseconds that never go backwards, from an arbitrary start. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `action` once after `ms`; the answer cancels it. Does not keep the process alive. */
  after(ms: number, action: () => void): () => void;
  /** Calls `action` every `ms`; the answer stops it. Does not keep the process alive. */
  every(ms: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  },
  after: (ms, action) => {
    const timer = setTimeout(action, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  every: (ms, action) => {
    const timer = setInterval(action, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** Resolves after the events that are already waiting have had their turn. */
export function yieldTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** For a driver that takes times as `Date`. */
export function dateOf(instant: Instant): Date {
  return new Date(instant);
}

/** `YYYY-MM-DDTHH:MM:SS.sssZ`, the hub's one way to write a time. */
export function formatInstant(instant: Instant): string {
  const day = Math.floor(instant / DAY_MS);
  const ms = instant - day * DAY_MS;
  const hours = twoDigits[Math.floor(ms / 3_600_000)];
  const minutes = twoDigits[Math.floor(ms / 60_000) % 60];
  const seconds = twoDigits[Math.floor(ms / 1_000) % 60];
  return `${dayText(day)}${hours}:${minutes}:${seconds}.${threeDigits[ms % 1_000]}Z`;
}

/**
 * `YYYY-MM-DDT` of a day since the epoch. A few days are remembered, each at
 * its own place: every event given out has two times, and `Date` takes longer
 * than the rest of the event.
 */
function dayText(day: number): string {
  const place = ((day % REMEMBERED_DAYS) + REMEMBERED_DAYS) % REMEMBERED_DAYS;
  const remembered = days[place];
  if (remembered?.day === day) return remembered.text;
  const text = new Date(day * DAY_MS).toISOString().slice(0, -'00:00:00.000Z'.length);
  days[place] = { day, text };
  return text;
}

const DAY_MS = 86_400_000;
const REMEMBERED_DAYS = 64;
const days: { readonly day: number; readonly text: string }[] = [];
const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
const threeDigits = Array.from({ length: 1_000 }, (_, number) => String(number).padStart(3, '0'));
