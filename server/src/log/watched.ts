import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { decorated } from './decorated.ts';
import type { EventLog } from './event-log.ts';

/**
 * Checks a log on a server again and again: what was weakened or replaced under a running hub ends its appends
 * soon, also where nobody asks for its readiness.
 */
export function watched(log: EventLog, clock: Clock): EventLog {
  // A fault is the log's own to remember, and told to who appends or reads.
  const look = () => void log.check().catch(() => undefined);
  const stop = clock.every(limits.continuityEveryMs, look);
  return decorated(log, {
    close: async () => {
      stop();
      await log.close();
    },
  });
}
