import { type Clock, systemClock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { Position } from '../../log/event-log.ts';
import type { EventStore, KeptAside } from '../event-store.ts';
import type { OpenStoreOptions } from '../index.ts';
import { aggregateEvents } from './aggregate-events.ts';
import { keepAgreement, readAgreement, writeAgreement } from './agreement.ts';
import { mongoKeys } from './api-keys.ts';
import type { Collections } from './collections.ts';
import { conflictOf, removedRecord, storedEvent, unreadableOf } from './event-documents.ts';
import { findEvents } from './find-events.ts';
import { findKnown } from './find-known.ts';
import { keepConflicts, keepUnreadable } from './keep-aside.ts';
import { keepFrozen, keepRemoved } from './keep-removed.ts';
import { Leases } from './leases.ts';
import { parseMongoUrl } from './mongo-address.ts';
import { MongoConnection } from './mongo-connection.ts';
import { PositionWatch } from './position-watch.ts';
import { prepareDatabase } from './prepare-database.ts';
import { previewRemoval } from './preview-removal.ts';
import { ProcessLease } from './process-lease.ts';
import { latestDate, readCountedMinutes } from './read-counted-minutes.ts';
import { assertReached, readOn } from './read-on.ts';
import { frozenMinutes, rebuildCounts, verifyCounts } from './recompute.ts';
import { recordEntries } from './record-entries.ts';
import { removeOldest } from './remove-oldest.ts';
import { noteReread, readRetained } from './retention-document.ts';
import { assertSameDatabase } from './same-database.ts';
import { readSnapshot, Transactions } from './transactions.ts';

/**
 * The store in a MongoDB database, which any number of hubs may share. Where
 * MongoDB does not answer this resolves all the same, and every call rejects
 * with `unavailable` until it does. What the hub must not use (a server without
 * transactions, a database of somebody else's, one of a newer hub, a user who
 * may not write) rejects here with `conflict`, or at every call when it is seen
 * only later. Without `exclusive` an empty database rejects with `not_found`.
 */
export async function openMongoStore(url: string, options: OpenStoreOptions): Promise<EventStore> {
  const parts = connect(url, options);
  try {
    await parts.connection.settle(limits.mongoOpenMs);
    await parts.process?.begin();
  } catch (reason) {
    await close(parts);
    throw reason;
  }
  return storeOf(parts);
}

interface Parts {
  readonly connection: MongoConnection;
  readonly transactions: Transactions;
  readonly leases: Leases;
  readonly watch: PositionWatch;
  /** For the hub's own minutes. Waiting for MongoDB takes the system's time in any case. */
  readonly clock: Clock;
  /** Of the database that was opened; empty before. */
  readonly identity: () => string;
  /** Only of a hub that serves. */
  readonly process: ProcessLease | undefined;
}

function connect(url: string, options: OpenStoreOptions): Parts {
  const { exclusive, upgrade, clock = systemClock } = options;
  const listedBy = options.isLogSharded === true ? 'list_key' : 'position';
  let identity = '';
  const connection: MongoConnection = new MongoConnection(parseMongoUrl(url), {
    clock: systemClock,
    prepare: async () => {
      const mark = await prepareDatabase(connection, {
        create: exclusive,
        clock,
        listedBy,
        upgrade,
      });
      identity = mark.identity;
    },
  });
  const transactions = new Transactions(connection, systemClock);
  const leases = new Leases(connection, transactions);
  return {
    connection,
    transactions,
    leases,
    watch: new PositionWatch(connection, systemClock),
    clock,
    identity: () => identity,
    process: exclusive ? new ProcessLease(connection, leases, systemClock) : undefined,
  };
}

function storeOf(parts: Parts): EventStore {
  const { connection, transactions, leases, watch } = parts;
  let closing: Promise<void> | undefined;
  return {
    keys: mongoKeys(connection),
    positions: () =>
      connection.use(async ({ positions }) => {
        const documents = await positions.find().toArray();
        const known = documents.filter(({ position }) => position !== '');
        return new Map(known.map(({ _id, position }) => [_id, position as Position]));
      }),
    record: (shard, entries, options = {}) => recordEntries(parts, shard, entries, options),
    resetPosition: async (shard, to) => {
      await connection.use(async (collections) => {
        await noteReread(collections, shard);
        await putPosition(collections.positions, shard, to);
      });
    },
    acquireLease: (name, holder, ttlMs) => leases.acquire(name, holder, ttlMs),
    releaseLease: (lease) => leases.release(lease),
    leaseNames: (prefix) => leases.names(prefix),
    reached: async (places, signal) => {
      await watch.passed(places, signal);
      await assertReached(connection, places);
    },
    get: (id) =>
      connection.use(async ({ events }) => {
        const document = await events.findOne({ _id: id });
        return document === null ? undefined : storedEvent(document);
      }),
    getMany: async (ids) => {
      if (ids.length === 0) return new Map();
      return await connection.use((collections) => findKnown(collections, ids));
    },
    entriesAfter: (shard, after, limit, isOwn) => readOn(connection, shard, after, limit, isOwn),
    find: (query) => connection.use((collections) => findEvents(collections, query)),
    aggregate: (query) =>
      connection.use((collections) =>
        readSnapshot(connection, (session) => aggregateEvents(collections, query, session)),
      ),
    countedMinutes: (end) => connection.use((collections) => readCountedMinutes(collections, end)),
    forgetCountedMinutes: async (end) => {
      await connection.use(({ countedMinutes }) =>
        countedMinutes.deleteMany({ minute: { $lt: latestDate(end) } }),
      );
    },
    verify: () => verifyCounts(connection),
    rebuild: () => rebuildCounts(connection, transactions),
    previewRemoval: (shard, cut) =>
      connection.use((collections) => previewRemoval(collections, shard, cut)),
    removeOldest: (shard, cut, limit, lease) => removeOldest(parts, shard, cut, limit, lease),
    retained: () => connection.use(readRetained),
    ...aside(parts),
    agreement: () => connection.use(readAgreement),
    agree: (wanted) => connection.use((collections) => keepAgreement(collections, wanted)),
    setAgreement: (agreement) => connection.use((all) => writeAgreement(all, agreement)),
    sizeBytes: () => connection.use(() => databaseBytes(connection)),
    check: () => connection.use(() => assertSameDatabase(connection, parts.identity())),
    close: () => {
      closing ??= close(parts);
      return closing;
    },
  };
}

/** What is kept beside the events, of this hub's and of another's. */
function aside(parts: Parts): KeptAside {
  const { connection, transactions } = parts;
  return {
    keepAside: async ({ conflicts, unreadable }) => {
      await connection.use((collections) =>
        transactions.run(async (session) => {
          await keepConflicts(collections, conflicts, session);
          await keepUnreadable(collections, unreadable, session);
        }),
      );
    },
    conflicts: (limit) =>
      connection.use(async ({ conflicts }) => {
        const documents = await conflicts.find().sort({ _id: 1 }).limit(limit).toArray();
        return documents.map(conflictOf);
      }),
    unreadableEntries: (limit) =>
      connection.use(async ({ unreadable }) => {
        const documents = await unreadable.find().sort({ _id: 1 }).limit(limit).toArray();
        return documents.map(unreadableOf);
      }),
    removedEvents: (after, limit) =>
      connection.use(async ({ removedEvents }) => {
        const filter = after === undefined ? {} : { _id: { $gt: after } };
        const documents = await removedEvents.find(filter).sort({ _id: 1 }).limit(limit).toArray();
        return documents.map(removedRecord);
      }),
    frozenMinutes: (after, limit) => frozenMinutes(connection, after, limit),
    keepRemoved: (records) => keepRemoved(parts, records),
    keepFrozen: (minutes) => keepFrozen(parts, minutes),
  };
}

async function close({ connection, process }: Parts): Promise<void> {
  await process?.stop();
  await connection.close();
}

/** Data and indexes as they lie on the disk. */
async function databaseBytes({ database }: MongoConnection): Promise<number> {
  const { storageSize, indexSize } = await database.command({ dbStats: 1 });
  return Number(storageSize) + Number(indexSize);
}

/** The newest event counted is still that. */
async function putPosition(
  positions: Collections['positions'],
  shard: string,
  to: Position | undefined,
): Promise<void> {
  const $set = { position: to ?? '' };
  await positions.updateOne({ _id: shard }, { $set }, { upsert: to !== undefined });
}
