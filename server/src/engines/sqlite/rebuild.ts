import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../../base/clock.ts';
import type { CountDifference } from '../../store/event-store.ts';
import { totalBase } from './schema.ts';

const base = String(totalBase);

/** The counts of the minutes `[from, to)` as the events say, in the order of the columns. */
const recomputed = `
  SELECT timestamp / 60000 * 60000 AS minute, event_type, currency,
    count(*) AS event_count, sum(amount / ${base}) AS total_high, sum(amount % ${base}) AS total_low,
    min(position) AS first_position, max(position) AS last_position
  FROM events WHERE timestamp >= :from AND timestamp < :to
  GROUP BY 1, 2, 3`;

const counted = `
  SELECT minute, event_type, currency, event_count, total_high, total_low, first_position, last_position
  FROM minute_counts WHERE minute >= :from AND minute < :to`;

interface CountRow {
  readonly minute: Instant;
  readonly event_type: string;
  readonly currency: string;
  readonly event_count: bigint;
  readonly total_high: bigint;
  readonly total_low: bigint;
}

/** Replaces the counts of whole minutes. The caller holds a write transaction. */
export function rebuildMinutes(database: DatabaseSync, from: Instant, to: Instant): number {
  const differences = differencesOf(database, from, to);
  if (differences.length === 0) return 0;
  database
    .prepare('DELETE FROM minute_counts WHERE minute >= :from AND minute < :to')
    .run({ from, to });
  database.prepare(`INSERT INTO minute_counts ${recomputed}`).run({ from, to });
  return differences.length;
}

/** Compares counts with events. The caller holds a transaction, so that both are of one moment. */
export function differencesOf(
  database: DatabaseSync,
  from: Instant,
  to: Instant,
): readonly CountDifference[] {
  const found = new Map<string, { counted?: CountRow; recomputed?: CountRow }>();
  for (const row of select(database, counted, from, to)) found.set(keyOf(row), { counted: row });
  for (const row of select(database, recomputed, from, to)) {
    const key = keyOf(row);
    found.set(key, { ...found.get(key), recomputed: row });
  }
  const differences: CountDifference[] = [];
  for (const pair of found.values()) {
    const counted = totalsOf(pair.counted);
    const recomputed = totalsOf(pair.recomputed);
    const row = pair.counted ?? pair.recomputed;
    if (row === undefined) continue;
    if (counted.eventCount === recomputed.eventCount && counted.total === recomputed.total)
      continue;
    differences.push({
      minute: Number(row.minute),
      eventType: row.event_type,
      currency: row.currency,
      counted,
      recomputed,
    });
  }
  return differences;
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

function keyOf(row: CountRow): string {
  return `${row.minute} ${row.event_type} ${row.currency}`;
}

function totalsOf(row: CountRow | undefined): { eventCount: number; total: bigint } {
  if (row === undefined) return { eventCount: 0, total: 0n };
  return {
    eventCount: Number(row.event_count),
    total: row.total_high * totalBase + row.total_low,
  };
}

/**
 * The minutes of the file cut into stretches of about `events` events each, so
 * that a pass over all of them never holds a long transaction.
 */
export function minuteStretches(
  database: DatabaseSync,
  events: number,
): readonly { readonly from: Instant; readonly to: Instant }[] {
  const rows = database
    .prepare(`
      SELECT minute, sum(events) AS events FROM (
        SELECT minute, event_count AS events FROM minute_counts
        UNION ALL SELECT (SELECT min(timestamp) / 60000 * 60000 FROM events), 0
        UNION ALL SELECT (SELECT max(timestamp) / 60000 * 60000 FROM events), 0
      ) WHERE minute IS NOT NULL GROUP BY minute ORDER BY minute`)
    .all() as unknown as readonly { minute: number; events: number }[];
  const stretches: { from: Instant; to: Instant }[] = [];
  let from: Instant | undefined;
  let size = 0;
  for (const row of rows) {
    if (from !== undefined && size + row.events > events) {
      stretches.push({ from, to: row.minute });
      from = undefined;
      size = 0;
    }
    from ??= row.minute;
    size += row.events;
  }
  const last = rows.at(-1);
  if (from !== undefined && last !== undefined) stretches.push({ from, to: last.minute + 60_000 });
  return stretches;
}
