import type { ClientSession } from 'mongodb';
import { type Clock, dateOf, yieldTurn } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { Event } from '../../event/event.ts';
import { eventBytes } from '../../event/event-bytes.ts';
import { isRepeatOf, type RemovedEvent } from '../../event/removed-event.ts';
import type { LogEntry, Position, UnreadableEntry } from '../../log/event-log.ts';
import type { IsOwn, Recorded, RecordOptions } from '../event-store.ts';
import type { Collections } from './collections.ts';
import { removedEvent, storedEvent } from './event-documents.ts';
import { insertionOf } from './event-insertion.ts';
import { keepConflicts, keepUnreadable } from './keep-aside.ts';
import { assertLease } from './leases.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { takeTurn } from './retention-document.ts';
import { assertSameDatabase } from './same-database.ts';
import type { Transactions } from './transactions.ts';
import { tallyEvents, writeCounts } from './write-counts.ts';

export interface RecordDeps {
  readonly connection: MongoConnection;
  readonly transactions: Transactions;
  readonly clock: Clock;
  /** Of the database that was opened. */
  readonly identity: () => string;
}

/** See `EventStore.record`. What is too much for one transaction goes in several, in log order. */
export async function recordEntries(
  deps: RecordDeps,
  shard: string,
  entries: readonly LogEntry[],
  { lease, unreadable = [], isOwn }: RecordOptions,
): Promise<Recorded> {
  const stranger = [...entries, ...unreadable].find((entry) => entry.shard !== shard);
  if (stranger !== undefined) throw new Error(`an entry of shard ${stranger.shard} in ${shard}`);
  const sum = { added: 0, duplicates: 0, conflicts: 0 };
  for (const part of cutParts(entries, unreadable, lease !== undefined)) {
    const recorded = await deps.connection.use((collections) =>
      deps.transactions.run((session) =>
        recordPart({ ...deps, collections, session, shard, lease, isOwn }, part),
      ),
    );
    sum.added += recorded.added;
    sum.duplicates += recorded.duplicates;
    sum.conflicts += recorded.conflicts;
  }
  return sum;
}

/** What goes into one transaction. */
interface Part {
  readonly entries: LogEntry[];
  readonly unreadable: UnreadableEntry[];
  bytes: number;
}

interface Transaction extends RecordDeps {
  readonly collections: Collections;
  readonly session: ClientSession;
  readonly shard: string;
  readonly lease: RecordOptions['lease'];
  readonly isOwn: IsOwn | undefined;
}

/** At least one part when a lease is to be looked at. */
function cutParts(
  entries: readonly LogEntry[],
  unreadable: readonly UnreadableEntry[],
  atLeastOne: boolean,
): readonly Part[] {
  const parts: Part[] = atLeastOne ? [emptyPart()] : [];
  const items = [...entries, ...unreadable];
  if (unreadable.length > 0) items.sort((a, b) => (a.position < b.position ? -1 : 1));
  for (const item of items) {
    const bytes = 'event' in item ? eventBytes(item.event) : item.raw.length;
    let part = parts.at(-1);
    if (part === undefined || isFull(part, bytes)) {
      part = emptyPart();
      parts.push(part);
    }
    part.bytes += bytes;
    if ('event' in item) part.entries.push(item);
    else part.unreadable.push(item);
  }
  return parts;
}

function emptyPart(): Part {
  return { entries: [], unreadable: [], bytes: 0 };
}

function isFull(part: Part, bytes: number): boolean {
  const items = part.entries.length + part.unreadable.length;
  if (items === 0) return false;
  return (
    items >= limits.mongoTransactionEvents || part.bytes + bytes > limits.mongoTransactionBytes
  );
}

async function recordPart(transaction: Transaction, part: Part): Promise<Recorded> {
  const { collections, session, shard, lease } = transaction;
  const { field } = collections.order;
  if (lease !== undefined) await assertLease(collections, lease, session);
  const reached = await reachedPosition(transaction);
  const entries = part.entries.filter(({ position }) => position > (reached ?? ''));
  const unreadable = part.unreadable.filter(({ position }) => position > (reached ?? ''));
  const newest = newestOf([...entries, ...unreadable]);
  if (newest === undefined) return { added: 0, duplicates: 0, conflicts: 0 };

  // What costs this process time is done while the server is busy.
  const [{ added, duplicates, conflicts, moved }, insertion] = await Promise.all([
    sortOut(transaction, entries),
    yieldTurn().then(() => insertionOf(collections, entries)),
  ]);
  if (added.length > 0) {
    const isWhole = added.length === entries.length;
    const kept = isWhole ? insertion : insertionOf(collections, added);
    const [, counts] = await Promise.all([
      kept.execute({ session }),
      yieldTurn().then(() => tallyEvents(added, transaction.clock.now(), field)),
    ]);
    await writeCounts(collections, shard, counts, session);
  }
  if (moved.length > 0) await moveEvents(collections, moved, session);
  await keepConflicts(collections, conflicts, session);
  await keepUnreadable(collections, unreadable, session);
  await movePosition(transaction, reached, newest, added.at(-1));
  return { added: added.length, duplicates, conflicts: conflicts.length };
}

/** Undefined before the first entry of the shard; empty when it is to be read anew. */
async function reachedPosition({
  collections,
  connection,
  identity,
  session,
  shard,
}: Transaction): Promise<string | undefined> {
  // A write, so that whoever else works on the shard is met here and not after all the work.
  const known = await collections.positions.findOneAndUpdate(
    { _id: shard },
    { $inc: { transactions: 1 } },
    { session, returnDocument: 'before' },
  );
  if (known !== null) return known.position;
  // There is nothing of the shard yet at which `keepRemoved` would meet this, and the ids that it keeps
  // would not be seen here.
  await takeTurn(collections, session);
  await assertSameDatabase(connection, identity(), session);
  return undefined;
}

/** The first one of an id is kept, in the store before in these entries. Looked up, because a known key ends a transaction. */
async function sortOut(
  { collections, session, isOwn = () => true }: Transaction,
  entries: readonly LogEntry[],
): Promise<SortedOut> {
  const firsts = await knownEvents(collections, entries, session);
  const added: LogEntry[] = [];
  const conflicts: LogEntry[] = [];
  const moved: LogEntry[] = [];
  let duplicates = 0;
  for (const entry of entries) {
    const first = firsts.get(entry.event.id);
    if (first === undefined) {
      firsts.set(entry.event.id, entry);
      added.push(entry);
    } else if (isRepeatOf(first.event, entry.event)) {
      duplicates += 1;
      if (first.position === undefined || isOwn(first.position)) continue;
      // What comes behind it is compared with the first one all the same.
      firsts.set(entry.event.id, { event: first.event, position: entry.position });
      moved.push(entry);
    } else {
      conflicts.push(entry);
    }
  }
  return { added, duplicates, conflicts, moved };
}

interface SortedOut {
  readonly added: readonly LogEntry[];
  readonly duplicates: number;
  readonly conflicts: readonly LogEntry[];
  /** Stored with a place of another log. */
  readonly moved: readonly LogEntry[];
}

/** What came first under an id, and where; without a place what retention has removed. */
interface First {
  readonly event: Event | RemovedEvent;
  readonly position?: Position;
}

/** Whoever reads on in this log must find them where it had them. */
async function moveEvents(
  { events }: Collections,
  entries: readonly LogEntry[],
  session: ClientSession,
): Promise<void> {
  const moves = entries.map(({ event, shard, position }) => ({
    updateOne: { filter: { _id: event.id }, update: { $set: { shard, position } } },
  }));
  await events.bulkWrite(moves, { session, ordered: false });
}

/** Two steps, because hardly ever one is known: the index alone answers the first. */
async function knownEvents(
  { events, removedEvents }: Collections,
  entries: readonly LogEntry[],
  session: ClientSession,
): Promise<Map<string, First>> {
  const ids = entries.map(({ event }) => event.id);
  const removed = await removedEvents.find({ _id: { $in: ids } }, { session }).toArray();
  const firsts = new Map<string, First>(
    removed.map((document) => [document._id, { event: removedEvent(document) }]),
  );
  const known = await events
    .find({ _id: { $in: ids } }, { session, projection: { _id: 1 } })
    .toArray();
  if (known.length === 0) return firsts;
  const documents = await events
    .find({ _id: { $in: known.map(({ _id }) => _id) } }, { session })
    .toArray();
  for (const document of documents) firsts.set(document._id, storedEvent(document));
  return firsts;
}

async function movePosition(
  { collections, session, shard }: Transaction,
  reached: string | undefined,
  position: Position,
  newest: LogEntry | undefined,
): Promise<void> {
  const counted =
    newest === undefined
      ? {}
      : { counted_position: newest.position, counted_at: dateOf(newest.event.receivedAt) };
  if (reached === undefined) {
    await collections.positions.insertOne({ _id: shard, position, ...counted }, { session });
    return;
  }
  const moved = await collections.positions.updateOne(
    { _id: shard, position: reached },
    { $set: { position, ...counted } },
    { session },
  );
  if (moved.matchedCount !== 1)
    throw new Error(`the position of shard ${shard} moved in a snapshot`);
}

function newestOf(items: readonly { readonly position: Position }[]): Position | undefined {
  let newest: Position | undefined;
  for (const { position } of items) {
    if (newest === undefined || position > newest) newest = position;
  }
  return newest;
}
