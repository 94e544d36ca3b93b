import type { Clock } from '../base/clock.ts';
import type { Telemetry } from '../base/telemetry.ts';
import { decorated } from './decorated.ts';
import type { EventLog } from './event-log.ts';

/** Counts how long each commit takes, and how many events share it. */
export function timed(log: EventLog, clock: Clock, telemetry: Telemetry): EventLog {
  return decorated(log, {
    append: async (groups) => {
      const startedMs = clock.monotonicMs();
      try {
        return await log.append(groups);
      } finally {
        const events = groups.reduce((sum, group) => sum + group.events.length, 0);
        telemetry.observeAppend(events, clock.monotonicMs() - startedMs);
      }
    },
  });
}
