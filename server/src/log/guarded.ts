import { HubError } from '../base/errors.ts';
import { decorated } from './decorated.ts';
import type { EventLog } from './event-log.ts';

/** Takes nothing and is not well while there is a fault. */
export function guarded(log: EventLog, faultOf: () => HubError | undefined): EventLog {
  const assertWhole = () => {
    const fault = faultOf();
    if (fault === undefined) return;
    throw new HubError('unavailable', fault.message, { retryAfterS: 10, cause: fault });
  };
  return decorated(log, {
    append: async (groups) => {
      assertWhole();
      return await log.append(groups);
    },
    check: async () => {
      assertWhole();
      return await log.check();
    },
  });
}
