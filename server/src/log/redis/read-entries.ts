import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { LogEntry, ReadOptions } from '../event-log.ts';
import { EntryReader, type LogContext } from './entry-reader.ts';
import { checkPlace, placeOf } from './log-places.ts';
import { RedisLink } from './redis-link.ts';

export interface ReadDeps extends LogContext {
  readonly clock: Clock;
  /** Shared by all who read what is there. */
  readonly shared: RedisLink;
  /** Aborts when the log closes. */
  readonly closing: AbortSignal;
}

/** What is in the log now, to its end. */
export async function* readEntries(
  deps: ReadDeps,
  options: ReadOptions,
): AsyncGenerator<readonly LogEntry[]> {
  const { signal } = options;
  const send = deps.shared.send.bind(deps.shared);
  const reader = new EntryReader(deps, options, await placeOf(options.from, deps, send));
  while (!signal.aborted) {
    const { found, entries } = await reader.next(deps.shared);
    if (!found || signal.aborted) return;
    if (isWorthGiving(entries, options)) yield entries;
  }
}

/**
 * What is in the log and what comes, over a connection of its own, so that no
 * reader waits behind another. One that is lost is replaced, and the reading
 * goes on where it was, once that place was found again.
 */
export async function* followEntries(
  deps: ReadDeps,
  options: ReadOptions,
): AsyncGenerator<readonly LogEntry[]> {
  const { signal } = options;
  const send = deps.shared.send.bind(deps.shared);
  const over = AbortSignal.any([signal, deps.closing]);
  if (over.aborted) return;
  const link = new RedisLink({ target: deps.target, clock: deps.clock });
  const close = () => link.close();
  over.addEventListener('abort', close, { once: true });
  try {
    const reader = new EntryReader(deps, options, await placeOf(options.from, deps, send));
    let session: number | undefined;
    while (!over.aborted) {
      try {
        await link.ready();
        if (session !== link.connections) {
          if (session !== undefined) await findAgain(reader, deps, link);
          session = link.connections;
        }
        const { found, entries } = await reader.wait(link);
        if (over.aborted) break;
        if (found && isWorthGiving(entries, options)) yield entries;
      } catch (reason) {
        if (over.aborted) break;
        if (!isPassing(reason)) throw reason;
        await deps.clock.sleep(limits.redisRetryMinMs, over).catch(() => undefined);
      }
    }
    if (!signal.aborted) throw new HubError('unavailable', 'the log is closed', { retryAfterS: 2 });
  } finally {
    over.removeEventListener('abort', close);
    link.close();
  }
}

/** After a break the log may be another one. */
async function findAgain(reader: EntryReader, deps: ReadDeps, link: RedisLink): Promise<void> {
  const { logId } = deps.state;
  if (reader.place === undefined || logId === undefined) return;
  await checkPlace(reader.place, logId, deps, link.send.bind(link));
}

/** Who hears of unreadable entries also wants to know that they were passed. */
function isWorthGiving(entries: readonly LogEntry[], { unreadable }: ReadOptions): boolean {
  return entries.length > 0 || unreadable !== undefined;
}

function isPassing(reason: unknown): boolean {
  return reason instanceof HubError && reason.code === 'unavailable';
}
