import { type Clock, systemClock } from '../../src/base/clock.ts';

/** The system's clock with some of the hub's waits made short, by their length: `{ [limits.heartbeatMs]: 30 }`. */
export function hurriedClock(shortMs: Readonly<Record<number, number>>): Clock {
  return {
    ...systemClock,
    after: (ms, action) => systemClock.after(shortMs[ms] ?? ms, action),
    every: (ms, action) => systemClock.every(shortMs[ms] ?? ms, action),
  };
}
