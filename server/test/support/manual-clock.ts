import type { Clock, Instant } from '../../src/base/clock.ts';

export interface ManualClock extends Clock {
  /** Moves the time on and lets what is due happen. */
  advance(ms: number): Promise<void>;
}

interface Timer {
  readonly dueMs: number;
  readonly everyMs: number | undefined;
  readonly action: () => void;
}

/** Time that moves only when a test says so. */
export function manualClock(start: Instant): ManualClock {
  let nowMs = start;
  const timers = new Set<Timer>();
  const add = (ms: number, everyMs: number | undefined, action: () => void) => {
    const timer: Timer = { dueMs: nowMs + ms, everyMs, action };
    timers.add(timer);
    return () => {
      timers.delete(timer);
    };
  };
  return {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    after: (ms, action) => add(ms, undefined, action),
    every: (ms, action) => add(ms, ms, action),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const cancel = add(ms, undefined, resolve);
        signal?.addEventListener('abort', () => {
          cancel();
          reject(signal.reason);
        });
      }),
    advance: async (ms) => {
      nowMs += ms;
      for (const timer of [...timers].toSorted((a, b) => a.dueMs - b.dueMs)) {
        if (timer.dueMs > nowMs) continue;
        timers.delete(timer);
        if (timer.everyMs !== undefined) add(timer.everyMs, timer.everyMs, timer.action);
        timer.action();
      }
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
