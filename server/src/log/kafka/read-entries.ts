import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { LogEntry, ReadOptions } from '../event-log.ts';
import { unavailable } from './kafka-faults.ts';
import { type PlacesDeps, startsOf } from './log-places.ts';
import { inBatches, PartitionReader } from './partition-reader.ts';

export interface ReadDeps extends PlacesDeps {
  readonly clock: Clock;
  /** Aborts when the log closes. */
  readonly closing: AbortSignal;
  /** Why nothing can be read on. */
  readonly gone: HubError | undefined;
}

/**
 * What is in the log now, to its end, or also what comes. A follower whose broker is
 * away goes on where it was as soon as that is back.
 */
export async function* readEntries(
  deps: ReadDeps,
  options: ReadOptions,
): AsyncGenerator<readonly LogEntry[]> {
  const { signal, follow, limit } = options;
  const over = AbortSignal.any([signal, deps.closing]);
  if (over.aborted) return;
  if (deps.gone !== undefined) throw deps.gone;
  const { cluster, facts, mark } = deps;
  const starts = await startsOf(deps, options);
  // Who waits in the broker has a connection that nobody else needs.
  const pool = follow ? cluster.openPool() : cluster.pool;
  const close = () => {
    if (follow) void pool.close().catch(() => undefined);
  };
  over.addEventListener('abort', close, { once: true });
  const waitMs = follow ? limits.kafkaFetchWaitMs : 0;
  const reader = new PartitionReader(
    cluster,
    { pool, topicId: facts.id, mark, options, waitMs },
    starts,
  );
  try {
    while (!over.aborted && !reader.isDone) {
      const read = await nextOf(reader, deps, follow, over);
      if (over.aborted) break;
      if (deps.gone !== undefined) throw deps.gone;
      yield* inBatches(read.entries, limit);
      const isOnlyToldOf = read.found && read.entries.length === 0;
      if (isOnlyToldOf && options.unreadable !== undefined) yield [];
    }
    if (deps.closing.aborted && !signal.aborted) throw unavailable('the log is closed');
  } finally {
    over.removeEventListener('abort', close);
    reader.drop();
    if (follow) await pool.close();
  }
}

const nothing = { found: false, entries: [] };

async function nextOf(
  reader: PartitionReader,
  { clock, cluster }: ReadDeps,
  follow: boolean,
  over: AbortSignal,
): ReturnType<PartitionReader['next']> {
  try {
    return await reader.next();
  } catch (reason) {
    if (over.aborted) return nothing;
    reader.drop();
    cluster.forgetLeaders();
    if (!follow || !(reason instanceof HubError) || reason.code !== 'unavailable') throw reason;
    await clock.sleep(limits.kafkaRetryMs, over).catch(() => undefined);
    return nothing;
  }
}
