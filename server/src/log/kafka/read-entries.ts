import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { eventCharacters } from '../../event/event-bytes.ts';
import { positionGone } from '../../event/position-faults.ts';
import type { LogEntry, ReadOptions } from '../event-log.ts';
import type { KafkaCluster, TopicFacts } from './kafka-cluster.ts';
import { unavailable } from './kafka-faults.ts';
import { type PlacesDeps, startsOf } from './log-places.ts';
import { PartitionReader, type ReadBatch, TopicUnknown } from './partition-reader.ts';

export interface ReadDeps extends PlacesDeps {
  readonly clock: Clock;
  /** Aborts when the log closes. */
  readonly closing: AbortSignal;
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
  const reader = new PartitionReader(cluster, { pool, topicId: facts.id, mark, waitMs }, starts);
  try {
    while (!over.aborted && !reader.isDone) {
      const read = await nextOf(reader, deps, follow, over);
      if (over.aborted) break;
      if (deps.gone !== undefined) throw deps.gone;
      yield* inBatches(read, limit, options.unreadable);
    }
    if (deps.closing.aborted && !signal.aborted) throw unavailable('the log is closed');
  } finally {
    over.removeEventListener('abort', close);
    if (follow) await pool.close();
  }
}

const nothing: ReadBatch = { entries: [], unreadable: [] };

async function nextOf(
  reader: PartitionReader,
  { clock, cluster, facts }: ReadDeps,
  follow: boolean,
  over: AbortSignal,
): Promise<ReadBatch> {
  try {
    return await reader.next();
  } catch (reason) {
    if (over.aborted) return nothing;
    cluster.forgetLeaders();
    const fault = reason instanceof TopicUnknown ? await unknownTopic(cluster, facts) : reason;
    if (!follow || !(fault instanceof HubError) || fault.code !== 'unavailable') throw fault;
    await clock.sleep(limits.kafkaRetryMs, over).catch(() => undefined);
    return nothing;
  }
}

/** A broker that has just started may not have heard of the topic yet. */
async function unknownTopic(cluster: KafkaCluster, facts: TopicFacts): Promise<HubError> {
  try {
    const found = await cluster.topic();
    if (found === undefined || found.id === facts.id) {
      return unavailable(`a broker of ${cluster.target.shown} does not know the topic now`);
    }
    return positionGone('this is another topic than the one that was read');
  } catch (reason) {
    return HubError.from(reason);
  }
}

/**
 * Entries of one batch at the most, and no more characters than a reader may
 * hold. What cannot be read is told with the batch that comes up to it: told
 * earlier, it would stand for entries that were not given yet.
 */
function* inBatches(
  { entries, unreadable }: ReadBatch,
  limit: number,
  tell: ReadOptions['unreadable'],
): Generator<readonly LogEntry[]> {
  let told = 0;
  const tellUpTo = (end: number) => {
    for (; told < unreadable.length && (unreadable[told]?.after ?? 0) <= end; told += 1) {
      const entry = unreadable[told]?.entry;
      if (entry !== undefined) tell?.(entry);
    }
  };
  for (let start = 0; start < entries.length; ) {
    let characters = 0;
    let end = start;
    while (end < entries.length && end - start < limit && characters < limits.readCharacters) {
      characters += eventCharacters((entries[end] as LogEntry).event);
      end += 1;
    }
    tellUpTo(end);
    yield entries.slice(start, end);
    start = end;
  }
  if (entries.length > 0 || unreadable.length === 0 || tell === undefined) return;
  tellUpTo(0);
  yield [];
}
