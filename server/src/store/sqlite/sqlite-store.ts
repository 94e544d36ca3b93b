import { HubError } from '../../base/errors.ts';
import { type Cell, packEvent, unpackEvent } from '../../engines/sqlite/event-rows.ts';
import { beforeLog } from '../../engines/sqlite/keep-removed.ts';
import { formatPosition, parsePosition } from '../../engines/sqlite/position.ts';
import type { Row } from '../../engines/sqlite/queries.ts';
import { totalBase } from '../../engines/sqlite/schema.ts';
import { acquireSqliteEngine, releaseSqliteEngine } from '../../engines/sqlite/shared-engine.ts';
import {
  type SqliteEngine,
  sqliteShard,
  stretchEvents,
} from '../../engines/sqlite/sqlite-engine.ts';
import { fingerprintOf } from '../../event/fingerprint.ts';
import { positionGone, positionRemoved } from '../../event/position-faults.ts';
import type { LogEntry, Position } from '../../log/event-log.ts';
import type {
  AggregateQuery,
  Aggregates,
  Agreement,
  CountDifference,
  CountedMinute,
  EventStore,
  KeptAside,
  KnownEvent,
  RecordOptions,
  RemovedRecord,
  StoredEvent,
} from '../event-store.ts';
import type { OpenStoreOptions } from '../index.ts';
import { mergeBuckets } from '../merge-buckets.ts';
import { previewRemoval, removeOldest, retained } from './retention.ts';

/** The store in a SQLite file. Beside a log in the same file it is written by the log's own transaction. */
export async function openSqliteStore(url: string, options: OpenStoreOptions): Promise<EventStore> {
  const engine = await acquireSqliteEngine({ url, ...options });
  let closing: Promise<void> | undefined;
  const { reader, writer } = engine;
  return {
    keys: {
      access: () => reader.call('access'),
      add: (key, forgetEndedBefore) => writer.call('addKey', key, forgetEndedBefore),
      expire: (ids, at) => writer.call('expireKeys', ids, at),
      revoke: (ids, at) => writer.call('revokeKeys', ids, at),
      noteUses: (uses) => writer.call('noteKeyUses', uses),
      reopen: () => writer.call('reopenAccess'),
    },
    positions: () => positions(engine),
    record: (shard, entries, options) => record(engine, shard, entries, options),
    resetPosition: async (shard, to) => {
      await writer.call('resetPosition', shard, to);
    },
    acquireLease: async (name, holder, ttlMs) => engine.leases.acquire(name, holder, ttlMs),
    releaseLease: async (lease) => engine.leases.release(lease),
    leaseNames: async (prefix) => engine.leases.names(prefix),
    reached: async (places, signal) => {
      for (const position of places.values()) await reached(engine, position, signal);
    },
    get: async (id) => {
      const row = await reader.call('findById', id);
      return row === undefined ? undefined : storedEvent(engine, row);
    },
    getMany: (ids) => getMany(engine, ids),
    entriesAfter: (_shard, after, limit) => entriesAfter(engine, after, limit),
    find: async (query) => {
      const rows = await reader.call('findEvents', query);
      const events = rows.slice(0, query.limit).map((row) => storedEvent(engine, row));
      return { events, hasMore: rows.length > query.limit };
    },
    aggregate: (query) => aggregate(engine, query),
    countedMinutes: async (end) => (await reader.call('countedMinutes', end)).map(countedMinute),
    forgetCountedMinutes: async (end) => {
      await writer.call('forgetCountedMinutes', end);
    },
    verify: () => verify(engine),
    rebuild: () => rebuild(engine),
    previewRemoval: (shard, cut) => previewRemoval(engine, shard, cut),
    removeOldest: (shard, cut, limit, lease) => removeOldest(engine, shard, cut, { limit, lease }),
    retained: () => retained(engine),
    ...aside(engine),
    agreement: async () => {
      const text = await reader.call('storedValue', 'agreement');
      return text === undefined ? undefined : (JSON.parse(text) as Agreement);
    },
    agree: async (wanted) =>
      JSON.parse(await writer.call('keepValue', 'agreement', JSON.stringify(wanted))) as Agreement,
    setAgreement: async (agreement) => {
      await writer.call('setValue', 'agreement', JSON.stringify(agreement));
    },
    sizeBytes: () => engine.sizeBytes(),
    check: async () => {
      await reader.call('newestEntry');
    },
    close: () => {
      closing ??= releaseSqliteEngine(engine);
      return closing;
    },
  };
}

/** What is kept beside the events, of this hub's and of another's. */
function aside(engine: SqliteEngine): KeptAside {
  const { reader, writer } = engine;
  return {
    keepAside: async ({ conflicts, unreadable }) => {
      const cells: Cell[] = [];
      for (const { event } of conflicts) packEvent(event, cells);
      const places = conflicts.map(({ shard, position }) => ({ shard, position }));
      await writer.call('keepAside', places, cells, unreadable);
    },
    removedEvents: async (after, limit) => {
      const rows = await reader.call('removedAfter', after ?? '', limit);
      return rows.map((row) => removedRecord(engine, row));
    },
    frozenMinutes: (after, limit) =>
      reader.call('frozenMinutes', after ?? Number.NEGATIVE_INFINITY, limit),
    keepRemoved: async (records) =>
      await getMany(engine, await writer.call('keepRemoved', records)),
    keepFrozen: async (minutes) => {
      await writer.call('keepFrozen', minutes);
    },
    conflicts: async (limit) =>
      (await reader.call('conflicts', limit)).map(([shard, position, ...event]) => ({
        shard: shard as string,
        position: position as Position,
        event: unpackEvent(event, 0),
      })),
    unreadableEntries: async (limit) =>
      (await reader.call('unreadableEntries', limit)).map(([shard, position, reason, raw]) => ({
        shard: shard as string,
        position: position as Position,
        reason: reason as string,
        raw: raw as string,
      })),
  };
}

async function positions(engine: SqliteEngine): Promise<ReadonlyMap<string, Position>> {
  const rows = await engine.reader.call('positions');
  const recorded = new Map(
    rows.map(([shard, position]) => [shard as string, position as Position]),
  );
  if (recorded.size > 0) return recorded;
  // What the log in the same file appended is recorded by that very transaction.
  const newest = await engine.reader.call('newestEntry');
  return new Map(newest === undefined ? [] : [[sqliteShard, engine.entryOf(newest).position]]);
}

async function record(
  engine: SqliteEngine,
  shard: string,
  entries: readonly LogEntry[],
  { lease, unreadable = [] }: RecordOptions = {},
) {
  if (lease !== undefined) engine.leases.assertHeld(lease);
  const cells: Cell[] = [];
  for (const entry of entries) packEvent(entry.event, cells);
  const positions = entries.map((entry) => entry.position);
  const recorded = await engine.writer.call('record', shard, positions, cells, unreadable);
  const newest = positions.at(-1);
  if (newest !== undefined) engine.tail.advance(parsePosition(newest, engine.logId).sequence);
  return recorded;
}

/** The events first: what is removed between the two looks is known by what stays of it. */
async function getMany(
  engine: SqliteEngine,
  ids: readonly string[],
): Promise<ReadonlyMap<string, KnownEvent>> {
  const known = new Map<string, KnownEvent>();
  for (const row of await engine.reader.call('findByIds', ids)) {
    const stored = storedEvent(engine, row);
    known.set(stored.event.id, stored);
  }
  const others = ids.filter((id) => !known.has(id));
  if (others.length === 0) return known;
  for (const row of await engine.reader.call('removedByIds', others)) {
    const { shard: _, position, ...event } = removedRecord(engine, row);
    known.set(event.id, { event, position });
  }
  return known;
}

function removedRecord(engine: SqliteEngine, row: Row): RemovedRecord {
  const [id, sequence, fingerprint, contentHash, timestamp, receivedAt] = row as RemovedRow;
  const position = formatPosition(sequence, engine.logId, fingerprint);
  return { id, contentHash, timestamp, receivedAt, shard: sqliteShard, position };
}

type RemovedRow = readonly [string, number, string, string, number, number];

async function entriesAfter(
  engine: SqliteEngine,
  after: Position | 'start',
  limit: number,
): Promise<readonly LogEntry[]> {
  const sequence = after === 'start' ? 0 : parsePosition(after, engine.logId).sequence;
  const rows = await engine.reader.call('readEntries', sequence, limit);
  // After the look, so that nothing can be removed in between.
  if (after !== 'start') await assertContinues(engine, after);
  return rows.map((row) => engine.entryOf(row));
}

/** Everything behind the place is there. */
async function assertContinues(engine: SqliteEngine, after: Position): Promise<void> {
  try {
    await assertStored(engine, after);
  } catch (reason) {
    const floor = await engine.floor();
    if (floor === undefined || after > floor.position) throw reason;
    if (after !== floor.position) throw positionRemoved(floor.position);
  }
}

async function reached(
  engine: SqliteEngine,
  position: Position,
  signal: AbortSignal,
): Promise<void> {
  const { sequence } = parsePosition(position, engine.logId);
  // Of an event that another hub removed: what was counted of it is there before all of this log.
  if (sequence === beforeLog) return;
  while (engine.tail.last < sequence) {
    await engine.tail.more(engine.tail.last, signal);
    signal.throwIfAborted();
    if (engine.tail.closed) throw new HubError('unavailable', 'the store is closed');
  }
  try {
    await assertStored(engine, position);
  } catch (reason) {
    const floor = await engine.floor();
    if (floor === undefined || position > floor.position) throw reason;
  }
}

async function assertStored(engine: SqliteEngine, position: Position): Promise<void> {
  const { sequence, fingerprint } = parsePosition(position, engine.logId);
  const row = await engine.reader.call('findBySequence', sequence);
  if (row === undefined || fingerprintOf(unpackEvent(row, 1)) !== fingerprint) {
    throw positionGone('the store does not hold the entry of this position');
  }
}

async function aggregate(engine: SqliteEngine, query: AggregateQuery): Promise<Aggregates> {
  const { buckets, newest } = await engine.reader.call('aggregateEvents', query);
  return {
    buckets: mergeBuckets(
      buckets.map(([start, eventType, currency, eventCount, high, low]) => ({
        start: start as number,
        eventType: eventType as string,
        currency: currency as string,
        eventCount: eventCount as number,
        total: totalOf(high, low),
      })),
    ),
    asOf:
      newest === undefined
        ? undefined
        : { position: engine.entryOf(newest).position, receivedAt: newest[7] as number },
  };
}

async function verify(engine: SqliteEngine): Promise<readonly CountDifference[]> {
  const differences: CountDifference[] = [];
  for (const { from, to } of await engine.reader.call('minuteStretches', stretchEvents)) {
    differences.push(...(await engine.reader.call('differences', from, to)));
  }
  return differences;
}

async function rebuild(engine: SqliteEngine): Promise<number> {
  let changed = 0;
  for (const { from, to } of await engine.reader.call('minuteStretches', stretchEvents)) {
    changed += await engine.writer.call('rebuild', from, to);
  }
  return changed;
}

function storedEvent(engine: SqliteEngine, row: Row): StoredEvent {
  const { event, position } = engine.entryOf(row);
  return { event, position, listKey: String(row[0]) };
}

function countedMinute(row: Row): CountedMinute {
  const [minute, eventType, currency, eventCount, lateCount, high, low] = row;
  return {
    minute: minute as number,
    eventType: eventType as string,
    currency: currency as string,
    eventCount: eventCount as number,
    lateCount: lateCount as number,
    total: totalOf(high, low),
  };
}

function totalOf(high: unknown, low: unknown): bigint {
  return BigInt(high as string) * totalBase + BigInt(low as string);
}
