import { formatDuration } from '../base/duration.ts';
import { limits } from '../base/limits.ts';
import type { Settings } from './settings.ts';

/**
 * Why events must not be removed at this age; undefined when they may. A minute that
 * is not over yet must not lose an event, and the log must not hold what the store
 * has removed.
 */
export function retentionFault(
  retentionMs: number,
  { maxFutureMs, logKeepMs }: Pick<Settings, 'maxFutureMs' | 'logKeepMs'>,
): string | undefined {
  const marginMs = limits.retentionMsMin;
  const given = formatDuration(retentionMs);
  if (retentionMs < maxFutureMs + marginMs) {
    const least = formatDuration(maxFutureMs + marginMs);
    return `expected at least ${least}, got '${given}': events may lie ${formatDuration(maxFutureMs)} ahead (EVENT_HUB_MAX_FUTURE), and a minute that is not over for a day must not lose one`;
  }
  if (retentionMs < logKeepMs + marginMs) {
    const least = formatDuration(logKeepMs + marginMs);
    return `expected at least ${least}, got '${given}': the log keeps entries for ${formatDuration(logKeepMs)} (EVENT_HUB_LOG_KEEP), and must not hold what the store has removed`;
  }
  return retentionMs < marginMs
    ? `expected at least ${formatDuration(marginMs)}, got '${given}'`
    : undefined;
}
