import type { ClientSession } from 'mongodb';
import { dateOf, yieldTurn } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { eventBytes } from '../../event/event-bytes.ts';
import { minuteOf } from '../../event/minute.ts';
import { removedEventOf } from '../../event/removed-event.ts';
import type { Position } from '../../log/event-log.ts';
import type { Lease, Removal, RemovalCut } from '../event-store.ts';
import {
  type Collections,
  type EventDocument,
  indexes,
  type RemovedDocument,
  type RetentionDocument,
} from './collections.ts';
import { storedEvent } from './event-documents.ts';
import { wholeOf } from './frozen.ts';
import { assertLease, assertNoOlderHub } from './leases.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { moveFloor, readRetention, takeTurn } from './retention-document.ts';
import { assertSameDatabase } from './same-database.ts';
import type { Transactions } from './transactions.ts';

export interface RemoveDeps {
  readonly connection: MongoConnection;
  readonly transactions: Transactions;
  /** Of the database that was opened. */
  readonly identity: () => string;
}

/** Hashing so many takes some milliseconds. */
const turnEvents = 500;
/** Of one page that a preview reads. */
const pageEvents = 10_000;

/** See `EventStore.removeOldest`. */
export async function removeOldest(
  { connection, transactions, identity }: RemoveDeps,
  shard: string,
  cut: RemovalCut,
  limit: number,
  lease: Lease | undefined,
): Promise<Removal | undefined> {
  return await connection.use(async (collections) => {
    const next = startOf(await readRetention(collections), shard);
    const first = withinCut(await readOldest(collections, shard, next, 1), cut);
    if (first.length > 0) await keepOlderHubsOut(collections, connection.place);
    return await transactions.run(async (session) => {
      if (lease !== undefined) await assertLease(collections, lease, session);
      await assertSameDatabase(connection, identity(), session);
      // A write, so that another who removes is met here and not after all the work.
      const retention = await takeTurn(collections, session);
      const after = startOf(retention, shard);
      const read = await readOldest(collections, shard, after, limit, { session });
      const found = withinCut(read, cut);
      if (found.length === 0) return undefined;
      await assertNoOlderHub(collections, connection.place, { session });
      const minutes = await wholeOf(collections, minutesOf(found), { session });
      const removal = removalOf(shard, found, minutes.length);
      await moveFloor(collections, shard, retention, removal, session);
      if (minutes.length > 0) {
        const frozen = minutes.map((minute) => ({ _id: dateOf(minute) }));
        await collections.frozenMinutes.insertMany(frozen, { session, ordered: false });
      }
      await replaceByRecords(collections, found, session);
      return removal;
    });
  });
}

/** See `EventStore.previewRemoval`; in pages, as MongoDB is not waited for as long as all of it may take. */
export async function previewRemoval(
  collections: Collections,
  shard: string,
  cut: RemovalCut,
): Promise<Removal | undefined> {
  const minutes = new Set<number>();
  let removal: Removal | undefined;
  let after = startOf(await readRetention(collections), shard);
  for (;;) {
    const page = withinCut(await readPage(collections, shard, after), cut);
    if (page.length > 0) {
      const whole = await wholeOf(collections, minutesOf(page));
      for (const minute of whole) minutes.add(minute);
      const own = removalOf(shard, page, minutes.size);
      const { oldest, events } = removal ?? { oldest: own.oldest, events: 0 };
      removal = { ...own, oldest, events: events + own.events };
    }
    if (page.length < pageEvents) return removal;
    after = removal?.floor;
  }
}

/** Behind the floor there is nothing to be passed over, where the shard was not read anew. */
function startOf(retention: RetentionDocument | undefined, shard: string): string | undefined {
  return retention?.reread?.[shard] ? undefined : retention?.floors?.[shard];
}

function oldestFirst(
  { events }: Collections,
  shard: string,
  after = '',
  reading: { session?: ClientSession } = {},
) {
  return events
    .find({ shard, position: { $gt: after } }, { ...reading, hint: indexes.position })
    .sort({ position: 1 });
}

/** Up to `limit`, fewer when they are long, and one more that is only looked at. */
async function readOldest(
  collections: Collections,
  shard: string,
  after: string | undefined,
  limit: number,
  reading: { session?: ClientSession } = {},
): Promise<readonly EventDocument[]> {
  const most = Math.min(limit, limits.mongoTransactionEvents);
  const documents: EventDocument[] = [];
  let bytes = 0;
  const cursor = oldestFirst(collections, shard, after, reading);
  for await (const document of cursor.limit(most + 1)) {
    documents.push(document);
    bytes += eventBytes(storedEvent(document).event);
    if (bytes > limits.mongoTransactionBytes && documents.length > 1) break;
  }
  return documents;
}

type Dated = Pick<EventDocument, 'position' | 'received_at' | 'timestamp'>;

async function readPage(
  collections: Collections,
  shard: string,
  after: string | undefined,
): Promise<readonly Dated[]> {
  return await oldestFirst(collections, shard, after)
    .limit(pageEvents + 1)
    .project<Dated>({ position: 1, received_at: 1, timestamp: 1 })
    .toArray();
}

/** Up to the first that must stay, and without the last one that was read: the newest of a shard is never removed. */
function withinCut<T extends Dated>(
  documents: readonly T[],
  { receivedBefore, upTo }: RemovalCut,
): readonly T[] {
  const others = documents.slice(0, -1);
  const stays = others.findIndex(
    ({ position, received_at }) =>
      received_at.getTime() >= receivedBefore || (upTo !== undefined && position > upTo),
  );
  return stays === -1 ? others : others.slice(0, stays);
}

function minutesOf(documents: readonly Dated[]): ReadonlySet<number> {
  return new Set(documents.map(({ timestamp }) => minuteOf(timestamp.getTime())));
}

function removalOf(shard: string, documents: readonly Dated[], minutes: number): Removal {
  const [first] = documents;
  const last = documents.at(-1);
  if (first === undefined || last === undefined) throw new Error('nothing is to be removed');
  return {
    shard,
    events: documents.length,
    oldest: first.received_at.getTime(),
    newest: last.received_at.getTime(),
    floor: last.position as Position,
    minutes,
  };
}

/**
 * A hub before version 2 that was away so long that it did not seem to run counts
 * a repeat of what was removed again, or rebuilds minutes without it, when it comes
 * back. Each such transaction raises one of these two first, which a text cannot be.
 * Before the removal and not with it: the archive writes to the same documents all the time.
 */
async function keepOlderHubsOut(collections: Collections, place: string): Promise<void> {
  const { positions } = collections;
  const isOpen = { records: { $not: { $type: 'string' } } } as const;
  if ((await positions.findOne(isOpen, { projection: { _id: 1 } })) === null) return;
  await assertNoOlderHub(collections, place);
  const text = 'events were removed';
  await positions.updateMany(isOpen, { $set: { records: text, rebuilds: text } });
}

async function replaceByRecords(
  { events, removedEvents }: Collections,
  documents: readonly EventDocument[],
  session: ClientSession,
): Promise<void> {
  const records: RemovedDocument[] = [];
  for (const document of documents) {
    records.push(recordOf(document));
    if (records.length % turnEvents === 0) await yieldTurn();
  }
  await removedEvents.insertMany(records, { session, ordered: false });
  const ids = records.map(({ _id }) => _id);
  const { deletedCount } = await events.deleteMany({ _id: { $in: ids } }, { session });
  if (deletedCount !== ids.length) throw new Error('an event was removed in a snapshot');
}

function recordOf(document: EventDocument): RemovedDocument {
  const { _id, timestamp, received_at, shard, position } = document;
  const { contentHash: content_hash } = removedEventOf(storedEvent(document).event);
  return { _id, content_hash, timestamp, received_at, shard, position };
}
