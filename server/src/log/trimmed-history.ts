import { HubError } from '../base/errors.ts';
import type { EventStore } from '../store/event-store.ts';
import { decorated } from './decorated.ts';
import type { EventLog, LogEntry, Position, ReadOptions } from './event-log.ts';

type History = Pick<EventStore, 'entriesAfter'>;

/**
 * Reads from the store what the log has removed already, and then from the
 * log, without a gap or a repeat, also when it removes more meanwhile: nothing
 * is removed before the store has it. `position_gone` is left for what neither
 * of them holds.
 */
export function withTrimmedHistory(log: EventLog, store: History, shard: string): EventLog {
  return decorated(log, { read: (options) => readBoth(log, store, shard, options) });
}

async function* readBoth(
  log: EventLog,
  store: History,
  shard: string,
  options: ReadOptions,
): AsyncGenerator<readonly LogEntry[]> {
  if (options.from === 'end') {
    yield* log.read(options);
    return;
  }
  /** The place after what was given so far; in the log it may lie further on. */
  let at: Position | 'start' = options.from;
  let inLog = at;
  while (!options.signal.aborted) {
    let gone: HubError;
    try {
      for await (const batch of readLog(log, { ...options, from: inLog })) {
        yield batch;
        at = batch.at(-1)?.position ?? at;
        inLog = at;
      }
      return;
    } catch (reason) {
      gone = HubError.from(reason);
      if (gone.code !== 'position_gone') throw reason;
    }
    const before = at;
    for await (const batch of readRemoved(log, store, shard, at, options)) {
      yield batch;
      at = batch.at(-1)?.position ?? at;
    }
    inLog = at;
    if (at !== before) continue;
    // The store has nothing after this place: none of what the log removed there was an event.
    const removedTo = await log.trimmedTo();
    if (removedTo === undefined || (at !== 'start' && at >= removedTo)) throw gone;
    inLog = removedTo;
  }
}

/** The log alone, but a read from its start that is not the first start any more rejects with `position_gone`. */
async function* readLog(log: EventLog, options: ReadOptions): AsyncGenerator<readonly LogEntry[]> {
  let isStart = options.from === 'start';
  if (isStart) await assertComplete(log);
  for await (const batch of log.read(options)) {
    // What was removed between the look and the read would be missing.
    if (isStart) await assertComplete(log);
    isStart = false;
    yield batch;
  }
}

async function assertComplete(log: EventLog): Promise<void> {
  if ((await log.trimmedTo()) === undefined) return;
  throw new HubError('position_gone', 'the log has removed its oldest entries');
}

/** From the store, until the log has what comes next. */
async function* readRemoved(
  log: EventLog,
  store: History,
  shard: string,
  from: Position | 'start',
  { limit, signal }: ReadOptions,
): AsyncGenerator<readonly LogEntry[]> {
  let at = from;
  while (!signal.aborted) {
    const batch = await store.entriesAfter(shard, at, limit);
    const last = batch.at(-1);
    if (last === undefined) return;
    yield batch;
    at = last.position;
    const removedTo = await log.trimmedTo();
    if (removedTo === undefined || at >= removedTo) return;
  }
}
