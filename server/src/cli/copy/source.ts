import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { Cursor } from '../../log/cursor.ts';
import type { EventLog, LogEntry, Position, UnreadableEntry } from '../../log/event-log.ts';
import type { EventStore } from '../../store/event-store.ts';

/** Some of a source's entries, in its order. */
export interface SourceBatch {
  readonly entries: readonly LogEntry[];
  /** Those among them that cannot be read. */
  readonly unreadable: readonly UnreadableEntry[];
  /** Where to read on; undefined is from the beginning. */
  readonly place: string | undefined;
}

/** What is copied from, over whatever it was opened. */
export interface Source {
  /** The URL, for people. */
  readonly name: string;
  /** Absent where only a log was given. */
  readonly store: EventStore | undefined;
  /** From a place, or from the beginning, to the end that there is then. */
  read(after: string | undefined, signal: AbortSignal): AsyncIterable<SourceBatch>;
  /** Everything that is stored, where the log may have taken the place of one that gave some of it. */
  readonly readStored?: (signal: AbortSignal) => AsyncIterable<SourceBatch>;
  /** The place of a stored event; undefined where it is not there, or cannot be looked up. */
  placeOf(id: string): Promise<string | undefined>;
  /** Differs after every write, and after what retention removed. */
  mark(): Promise<string>;
  /** Resolves when the store has what the log had when this was called. */
  settle(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The entries of a log in log order; of those that it has removed, `log` reads the store. */
export async function* readLog(
  log: EventLog,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch> {
  const unreadable: UnreadableEntry[] = [];
  const batches = log.read({
    from: (after as Position | undefined) ?? 'start',
    follow: false,
    limit: limits.commitEvents,
    signal,
    unreadable: (entry) => unreadable.push(entry),
  });
  const places = after === undefined ? undefined : await log.resumeAt(after as Position);
  const cursor = new Cursor(log, places);
  for await (const entries of batches) {
    for (const entry of entries) cursor.advance(entry);
    yield { entries, unreadable: unreadable.splice(0), place: cursor.position };
  }
  if (unreadable.length > 0) yield { entries: [], unreadable, place: cursor.position };
}

/** The events of a store in the order of its listings, which is that of its log where that has one shard. */
export async function* readStore(
  store: EventStore,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch> {
  let place = after;
  for (let hasMore = true; hasMore && !signal.aborted; ) {
    const page = await store.find({
      filter: {},
      order: 'asc',
      limit: limits.pageEvents,
      ...(place === undefined ? {} : { after: place }),
    });
    const last = page.events.at(-1);
    if (last === undefined) return;
    place = last.listKey;
    hasMore = page.hasMore;
    yield {
      entries: page.events.map(({ event, position }) => ({ shard: '', position, event })),
      unreadable: [],
      place,
    };
  }
}

/** A log that has removed entries is not the whole hub. */
export async function assertWhole(
  log: Pick<EventLog, 'shards' | 'trimmedTo'>,
  name: string,
): Promise<void> {
  for (const shard of await log.shards()) {
    if ((await log.trimmedTo(shard)) === undefined) continue;
    throw new HubError(
      'conflict',
      `${name} has removed its oldest entries: give the store that has them with --from-store`,
    );
  }
}
