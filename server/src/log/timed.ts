import type { Clock } from '../base/clock.ts';
import type { Telemetry } from '../base/telemetry.ts';
import { decorated } from './decorated.ts';
import type { EventLog } from './event-log.ts';

/** Counts how long each commit takes. */
export function timed(log: EventLog, clock: Clock, telemetry: Telemetry): EventLog {
  return decorated(log, {
    append: async (groups) => {
      const startedMs = clock.monotonicMs();
      try {
        return await log.append(groups);
      } finally {
        telemetry.observeAppendMs(clock.monotonicMs() - startedMs);
      }
    },
  });
}
