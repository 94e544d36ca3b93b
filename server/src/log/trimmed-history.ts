import { HubError } from '../base/errors.ts';
import { positionGone, positionRemoved } from '../event/position-faults.ts';
import type { EventStore } from '../store/event-store.ts';
import { Cursor, ownPlacesOf } from './cursor.ts';
import { decorated } from './decorated.ts';
import type { EventLog, LogEntry, Places, Position, ReadOptions } from './event-log.ts';

type History = Pick<EventStore, 'entriesAfter' | 'retained'>;

/**
 * Reads from the store what the log has removed already, and then from the
 * log, without a gap or a repeat, also when it removes more meanwhile: nothing
 * is removed before the store has it. `position_gone` is left for what neither
 * of them holds; for what retention has removed it names where all is there.
 */
export function withTrimmedHistory(log: EventLog, store: History): EventLog {
  return decorated(log, {
    read: (options) => readBoth(log, store, options),
    resumeAt: (position) => resumeAt(log, position),
  });
}

async function* readBoth(
  log: EventLog,
  store: History,
  options: ReadOptions,
): AsyncGenerator<readonly LogEntry[]> {
  if (options.from === 'end') {
    yield* log.read(options);
    return;
  }
  const removed = new RemovedHistory(log, store, options);
  /** After what was given so far; where the log removed what was no event it lies further on. */
  const { from } = options;
  const cursor = new Cursor(log, from === 'start' ? undefined : await resumeAt(log, from));
  while (!options.signal.aborted) {
    let gone: HubError;
    try {
      for await (const batch of readLog(log, cursor, options)) {
        for (const entry of batch) cursor.advance(entry);
        yield batch;
      }
      return;
    } catch (reason) {
      gone = HubError.from(reason);
      if (gone.code !== 'position_gone') throw reason;
    }
    yield* removed.read(cursor);
    if (!removed.hasMoved && !options.signal.aborted) throw gone;
  }
}

/** Where the log cannot resolve the position any more: what it names, and all of the other shards. */
async function resumeAt(log: EventLog, position: Position): Promise<Places> {
  try {
    return await log.resumeAt(position);
  } catch (reason) {
    if (HubError.from(reason).code !== 'position_gone') throw reason;
    return log.placesIn(position);
  }
}

/** The log alone, but a read from a shard's start that is not its first start any more rejects with `position_gone`. */
async function* readLog(
  log: EventLog,
  cursor: Cursor,
  options: ReadOptions,
): AsyncGenerator<readonly LogEntry[]> {
  const shards = await shardsOf(log, options);
  const started = shards.filter((shard) => !cursor.places.has(shard));
  await assertComplete(log, started);
  let isFirst = true;
  for await (const batch of log.read({ ...options, from: cursor.position ?? 'start' })) {
    // What was removed between the look and the read would be missing.
    if (isFirst) await assertComplete(log, started);
    isFirst = false;
    yield batch;
  }
}

async function shardsOf(log: EventLog, { shard }: ReadOptions): Promise<readonly string[]> {
  return shard === undefined ? await log.shards() : [shard];
}

async function assertComplete(log: EventLog, shards: readonly string[]): Promise<void> {
  for (const shard of shards) {
    if ((await log.trimmedTo(shard)) === undefined) continue;
    throw new HubError('position_gone', 'the log has removed its oldest entries');
  }
}

/** What the log has removed, by shard, for a reader in front of it. */
class RemovedHistory {
  readonly #log: EventLog;
  readonly #store: History;
  readonly #options: ReadOptions;
  #hasMoved = false;

  constructor(log: EventLog, store: History, options: ReadOptions) {
    this.#log = log;
    this.#store = store;
    this.#options = options;
  }

  /** The last read moved its cursor. */
  get hasMoved(): boolean {
    return this.#hasMoved;
  }

  /** From the store, until the log has what comes next in every shard. */
  async *read(cursor: Cursor): AsyncGenerator<readonly LogEntry[]> {
    this.#hasMoved = false;
    for (const shard of await shardsOf(this.#log, this.#options)) {
      const removedTo = await this.#log.trimmedTo(shard);
      const isBefore = removedTo !== undefined && !cursor.covers({ shard, position: removedTo });
      if (isBefore) yield* this.#readShard(shard, cursor);
    }
  }

  async *#readShard(shard: string, cursor: Cursor): AsyncGenerator<readonly LogEntry[]> {
    const { limit, signal } = this.#options;
    const isOwn = ownPlacesOf(this.#log);
    while (!signal.aborted) {
      const after = cursor.places.get(shard) ?? 'start';
      const stored = await this.#store
        .entriesAfter(shard, after, limit, isOwn)
        .catch((reason) => this.#refuse(reason, cursor));
      const batch = stored.map((entry) => this.#asOwn(entry));
      for (const entry of batch) cursor.advance(entry);
      if (batch.length > 0) {
        this.#hasMoved = true;
        yield batch;
      }
      const removedTo = await this.#log.trimmedTo(shard);
      if (removedTo === undefined || cursor.covers({ shard, position: removedTo })) return;
      if (batch.length > 0) continue;
      // The store has nothing after this place: none of what the log removed there was an event.
      cursor.advance({ shard, position: removedTo });
      this.#hasMoved = true;
      return;
    }
  }

  /** With the place that a reader of this log can go on from. */
  #asOwn(entry: LogEntry): LogEntry {
    const position = this.#log.ownPlace(entry.position);
    return position === undefined || position === entry.position ? entry : { ...entry, position };
  }

  /** The floor of one shard says nothing of the others: a reader in all of them goes on behind all floors. */
  async #refuse(reason: unknown, { places }: Cursor): Promise<never> {
    const { code, position } = HubError.from(reason);
    if (code !== 'position_gone' || position === undefined || position === 'start') throw reason;
    const { floors } = await this.#store.retained();
    const behind = new Cursor(this.#log, places);
    let hasMoved = false;
    for (const [shard, floor] of floors) {
      const position = places.has(shard) ? this.#log.ownPlace(floor) : undefined;
      if (position !== undefined && behind.advance({ shard, position })) hasMoved = true;
    }
    if (!hasMoved || behind.position === undefined) throw positionGone('its events were removed');
    throw positionRemoved(behind.position);
  }
}
