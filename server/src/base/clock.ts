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

/** `YYYY-MM-DDTHH:MM:SS.sssZ`, the hub's one way to write a time. */
export function formatInstant(instant: Instant): string {
  return new Date(instant).toISOString();
}
