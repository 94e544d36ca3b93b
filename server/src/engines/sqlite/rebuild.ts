import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../../base/clock.ts';
import {
  adjacentStretches,
  compareCounts,
  cutStretches,
  frozenMinutesOf,
  type MinuteCount,
  type Stretch,
} from '../../store/compare-counts.ts';
import type { CountDifference, FrozenMinute } from '../../store/event-store.ts';
import { rowsOf } from './queries.ts';
import { totalBase } from './schema.ts';

const base = String(totalBase);

const isWhole = 'minute NOT IN (SELECT minute FROM frozen_minutes)';
const isFrozen = 'minute IN (SELECT minute FROM frozen_minutes)';

/** The counts of some minutes of `[from, to)` as the events say, in the order of the columns. */
const recomputed = (which: string) => `
  SELECT timestamp / 60000 * 60000 AS minute, event_type, currency,
    count(*) AS event_count, sum(amount / ${base}) AS total_high, sum(amount % ${base}) AS total_low,
    min(position) AS first_position, max(position) AS last_position
  FROM events WHERE timestamp >= :from AND timestamp < :to
  GROUP BY 1, 2, 3 HAVING ${which}`;

const counted = (which: string) => `
  SELECT minute, event_type, currency, event_count, total_high, total_low, first_position, last_position
  FROM minute_counts WHERE minute >= :from AND minute < :to AND ${which}`;

interface CountRow {
  readonly minute: Instant;
  readonly event_type: string;
  readonly currency: string;
  readonly event_count: bigint;
  readonly total_high: bigint;
  readonly total_low: bigint;
}

/** Replaces the counts of whole minutes, those that lost no event. The caller holds a write transaction. */
export function rebuildMinutes(database: DatabaseSync, from: Instant, to: Instant): number {
  const differences = differencesOf(database, from, to);
  if (differences.length === 0) return 0;
  database
    .prepare(`DELETE FROM minute_counts WHERE minute >= :from AND minute < :to AND ${isWhole}`)
    .run({ from, to });
  database.prepare(`INSERT INTO minute_counts ${recomputed(isWhole)}`).run({ from, to });
  return differences.length;
}

/** Compares the counts of whole minutes with events. The caller holds a transaction, so that both are of one moment. */
export function differencesOf(
  database: DatabaseSync,
  from: Instant,
  to: Instant,
): readonly CountDifference[] {
  return differencesIn(database, isWhole, from, to);
}

/** See `EventStore.frozenMinutes`. The caller holds a transaction. */
export function frozenMinutes(
  database: DatabaseSync,
  after: Instant,
  limit: number,
): readonly FrozenMinute[] {
  const minutes = rowsOf(
    database,
    'SELECT minute FROM frozen_minutes WHERE minute > ? ORDER BY minute LIMIT ?',
    [after, limit],
  ).map(([minute]) => minute as Instant);
  const differences = adjacentStretches(minutes).flatMap(({ from, to }) =>
    differencesIn(database, isFrozen, from, to),
  );
  return frozenMinutesOf(minutes, differences);
}

function differencesIn(
  database: DatabaseSync,
  which: string,
  from: Instant,
  to: Instant,
): readonly CountDifference[] {
  return compareCounts(
    select(database, counted(which), from, to).map(minuteCount),
    select(database, recomputed(which), from, to).map(minuteCount),
  );
}

function select(
  database: DatabaseSync,
  sql: string,
  from: Instant,
  to: Instant,
): readonly CountRow[] {
  const statement = database.prepare(sql);
  statement.setReadBigInts(true);
  return statement.all({ from, to }) as unknown as readonly CountRow[];
}

function minuteCount(row: CountRow): MinuteCount {
  return {
    minute: Number(row.minute),
    eventType: row.event_type,
    currency: row.currency,
    eventCount: Number(row.event_count),
    total: row.total_high * totalBase + row.total_low,
  };
}

/** The minutes of the file cut into stretches of about `events` events each. */
export function minuteStretches(database: DatabaseSync, events: number): readonly Stretch[] {
  const rows = database
    .prepare(`
      SELECT minute, sum(events) AS events FROM (
        SELECT minute, event_count AS events FROM minute_counts
        UNION ALL SELECT (SELECT min(timestamp) / 60000 * 60000 FROM events), 0
        UNION ALL SELECT (SELECT max(timestamp) / 60000 * 60000 FROM events), 0
      ) WHERE minute IS NOT NULL GROUP BY minute ORDER BY minute`)
    .all() as unknown as readonly { minute: number; events: number }[];
  return cutStretches(rows, events);
}
