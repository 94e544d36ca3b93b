import type { ClientSession } from 'mongodb';
import { dateOf } from '../../base/clock.ts';
import type { Position } from '../../log/event-log.ts';
import type { FrozenMinute, KnownEvent, RemovedRecord, TypeCount } from '../event-store.ts';
import type { Collections, MinuteDocument, RemovedDocument } from './collections.ts';
import { toDecimal128 } from './decimal128.ts';
import { removedEvent, storedEvent } from './event-documents.ts';
import { wholeOf } from './frozen.ts';
import { assertNoOlderHub, keepOlderHubsOut } from './older-hubs.ts';
import type { RemoveDeps } from './remove-oldest.ts';
import { noteFrozen, takeTurn } from './retention-document.ts';
import { assertSameDatabase } from './same-database.ts';
import { minuteId } from './write-counts.ts';

/** Of the counts of what another hub removed: no log has a shard of this name. */
const shard = '(kept)';

/** The first position of a row in which no event of this database lies: behind its last one. */
const behindAll = '\u{ffff}';

/** See `EventStore.keepRemoved`. */
export async function keepRemoved(
  deps: RemoveDeps,
  records: readonly RemovedRecord[],
): Promise<ReadonlyMap<string, KnownEvent>> {
  if (records.length === 0) return new Map();
  return await inTransaction(deps, async (collections, session) => {
    // A reader that records at the same time meets this write, and one of the two begins again.
    await collections.positions.updateMany({}, { $inc: { transactions: 1 } }, { session });
    const ids = records.map(({ id }) => id);
    const found = await knownOf(collections, ids, session);
    const fresh = records.filter(({ id }) => !found.has(id));
    if (fresh.length > 0) {
      const documents = fresh.map(keptDocument);
      await collections.removedEvents.insertMany(documents, { session, ordered: false });
    }
    return new Map([...found].flatMap(([id, known]) => (known === 'kept' ? [] : [[id, known]])));
  });
}

/** See `EventStore.keepFrozen`. */
export async function keepFrozen(
  deps: RemoveDeps,
  minutes: readonly FrozenMinute[],
): Promise<void> {
  if (minutes.length === 0) return;
  await inTransaction(deps, async (collections, session) => {
    const starts = minutes.map(({ minute }) => minute);
    const whole = await wholeOf(collections, starts, { session });
    await noteFrozen(collections, whole.length, session);
    if (whole.length > 0) {
      const frozen = whole.map((minute) => ({ _id: dateOf(minute) }));
      await collections.frozenMinutes.insertMany(frozen, { session, ordered: false });
    }
    const before = { minute: { $in: starts.map(dateOf) }, shard };
    await collections.minutes.deleteMany(before, { session });
    const documents = minutes.flatMap(({ minute, removed }) =>
      removed.map((count) => countDocument(minute, count)),
    );
    if (documents.length > 0) await collections.minutes.insertMany(documents, { session });
  });
}

async function inTransaction<T>(
  { connection, transactions, identity }: RemoveDeps,
  work: (collections: Collections, session: ClientSession) => Promise<T>,
): Promise<T> {
  return await connection.use(async (collections) => {
    await keepOlderHubsOut(collections, connection.place);
    return await transactions.run(async (session) => {
      await assertSameDatabase(connection, identity(), session);
      await assertNoOlderHub(collections, connection.place, { session });
      await takeTurn(collections, session);
      return await work(collections, session);
    });
  });
}

/** What is known under the ids; `kept` of what was kept of another hub before. */
async function knownOf(
  { events, removedEvents }: Collections,
  ids: readonly string[],
  session: ClientSession,
): Promise<ReadonlyMap<string, KnownEvent | 'kept'>> {
  const _id = { $in: [...ids] };
  const known = new Map<string, KnownEvent | 'kept'>();
  for await (const document of events.find({ _id }, { session })) {
    known.set(document._id, storedEvent(document));
  }
  for await (const document of removedEvents.find({ _id }, { session })) {
    const position = document.position as Position;
    known.set(document._id, document.kept ? 'kept' : { event: removedEvent(document), position });
  }
  return known;
}

function keptDocument(record: RemovedRecord): RemovedDocument {
  return {
    _id: record.id,
    content_hash: record.contentHash,
    timestamp: dateOf(record.timestamp),
    received_at: dateOf(record.receivedAt),
    shard: record.shard,
    position: record.position,
    kept: true,
  };
}

function countDocument(minute: number, count: TypeCount): MinuteDocument {
  return {
    _id: minuteId(shard, { minute, ...count }),
    shard,
    minute: dateOf(minute),
    event_type: count.eventType,
    currency: count.currency,
    event_count: count.eventCount,
    total: toDecimal128(count.total),
    first_position: behindAll,
    last_position: '',
  };
}
