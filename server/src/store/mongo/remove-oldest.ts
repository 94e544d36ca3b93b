import { type ClientSession, MongoBulkWriteError } from 'mongodb';
import { dateOf, yieldTurn } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { removedEventOf } from '../../event/removed-event.ts';
import type { Lease, Removal, RemovalCut } from '../event-store.ts';
import type { EventDocument, RemovedDocument } from './collections.ts';
import { storedEvent } from './event-documents.ts';
import { wholeOf } from './frozen.ts';
import { assertLease } from './leases.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { isDuplicateKey } from './mongo-fault.ts';
import { assertNoOlderHub, keepOlderHubsOut } from './older-hubs.ts';
import { minutesOf, readOldest, removalOf, startOf, withinCut } from './oldest-events.ts';
import { moveFloor, readRetention, takeTurn } from './retention-document.ts';
import { assertSameDatabase } from './same-database.ts';
import type { Transactions } from './transactions.ts';

/** What changes the database in the name of retention. */
export interface RemoveDeps {
  readonly connection: MongoConnection;
  readonly transactions: Transactions;
  /** Of the database that was opened. */
  readonly identity: () => string;
}

/** Hashing so many takes some milliseconds. */
const turnEvents = 500;

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
      const known = retention?.floors?.[shard];
      const removal = removalOf(shard, found, minutes.length, cut, known);
      await moveFloor(collections, shard, retention, { ...removal, isOwn: cut.isOwn }, session);
      if (minutes.length > 0) {
        const frozen = minutes.map((minute) => ({ _id: dateOf(minute) }));
        await collections.frozenMinutes.insertMany(frozen, { session, ordered: false });
      }
      await replaceByRecords(connection, found, session);
      return removal;
    });
  });
}

async function replaceByRecords(
  { collections, place }: Pick<MongoConnection, 'collections' | 'place'>,
  documents: readonly EventDocument[],
  session: ClientSession,
): Promise<void> {
  const { events, removedEvents } = collections;
  const records: RemovedDocument[] = [];
  for (const document of documents) {
    records.push(recordOf(document));
    if (records.length % turnEvents === 0) await yieldTurn();
  }
  await removedEvents.insertMany(records, { session, ordered: false }).catch((reason) => {
    throw isDuplicateKey(reason) ? thereAgain(reason, place) : reason;
  });
  const ids = records.map(({ _id }) => _id);
  const { deletedCount } = await events.deleteMany({ _id: { $in: ids } }, { session });
  if (deletedCount !== ids.length) throw new Error('an event was removed in a snapshot');
}

/** Nobody else can have written the record meanwhile: it is this transaction's turn. */
function thereAgain(reason: unknown, place: string): HubError {
  const failed =
    reason instanceof MongoBulkWriteError ? reason.result.getWriteErrorAt(0) : undefined;
  const { _id: id } = (failed?.getOperation() ?? {}) as Partial<RemovedDocument>;
  return new HubError(
    'conflict',
    `the event ${id} was removed before, and is in the collection events of ${place} again, as when that alone is restored from an older dump: delete from it what removed_events has, then retention goes on`,
    { cause: reason },
  );
}

function recordOf(document: EventDocument): RemovedDocument {
  const { _id, timestamp, received_at, shard, position } = document;
  const { contentHash: content_hash } = removedEventOf(storedEvent(document).event);
  return { _id, content_hash, timestamp, received_at, shard, position };
}
