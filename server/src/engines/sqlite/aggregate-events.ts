import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../../base/clock.ts';
import type { AggregateQuery } from '../../store/event-store.ts';
import { frozenMinute, neededEvents } from '../../store/frozen-minutes.ts';
import { addFilter } from './find-events.ts';
import { newestEntry, type Row, rowsOf } from './queries.ts';
import { totalBase } from './schema.ts';

const minuteMs = 60_000;

export interface AggregateRows {
  /** `start, event_type, currency, event_count, high, low`, sorted; one start may come more than once. */
  readonly buckets: readonly Row[];
  readonly newest: Row | undefined;
}

/**
 * Whole minutes from the counts and the edges from the events, in one snapshot:
 * the cost follows the window and not the number of events stored. For one
 * user's events there are no counts; the index on user and time bounds those.
 */
export function aggregateEvents(database: DatabaseSync, query: AggregateQuery): AggregateRows {
  database.exec('BEGIN');
  try {
    assertWhole(database, query);
    return { buckets: bucketsOf(database, query), newest: newestEntry(database) };
  } finally {
    database.exec('COMMIT');
  }
}

/** Throws `invalid` when the answer needs events of a frozen minute. */
function assertWhole(database: DatabaseSync, query: AggregateQuery): void {
  for (const needed of neededEvents(query)) {
    const [found] = rowsOf(
      database,
      'SELECT max(minute) FROM frozen_minutes WHERE minute >= ? AND minute < ?',
      [needed.from, needed.to],
    );
    const newest = found?.[0];
    if (typeof newest === 'number') throw frozenMinute(needed, newest);
  }
}

function bucketsOf(database: DatabaseSync, query: AggregateQuery): readonly Row[] {
  const { from, to } = query;
  if (query.filter.userIds !== undefined) return fromEvents(database, query, from, to);
  const firstWhole = Math.ceil(from / minuteMs) * minuteMs;
  const lastWhole = Math.floor(to / minuteMs) * minuteMs;
  if (firstWhole >= lastWhole) return fromEvents(database, query, from, to);
  return [
    ...fromEvents(database, query, from, firstWhole),
    ...fromCounts(database, query, firstWhole, lastWhole),
    ...fromEvents(database, query, lastWhole, to),
  ];
}

function fromCounts(database: DatabaseSync, query: AggregateQuery, from: Instant, to: Instant) {
  const where = conditions(query, 'minute', from, to);
  return rowsOf(
    database,
    `SELECT ${startOf(query, 'minute')}, event_type, currency, sum(event_count),
      CAST(sum(total_high) AS TEXT), CAST(sum(total_low) AS TEXT)
    FROM minute_counts WHERE ${where.sql.join(' AND ')} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    where.parameters,
  );
}

function fromEvents(database: DatabaseSync, query: AggregateQuery, from: Instant, to: Instant) {
  if (from >= to) return [];
  const where = conditions(query, 'timestamp', from, to);
  const index = query.filter.userIds === undefined ? 'events_by_timestamp' : 'events_by_user';
  return rowsOf(
    database,
    `SELECT ${startOf(query, 'timestamp')}, event_type, currency, count(*),
      CAST(sum(amount / ${totalBase}) AS TEXT), CAST(sum(amount % ${totalBase}) AS TEXT)
    FROM events INDEXED BY ${index} WHERE ${where.sql.join(' AND ')} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    where.parameters,
  );
}

function conditions(query: AggregateQuery, column: string, from: Instant, to: Instant) {
  const where = {
    sql: [`${column} >= ?`, `${column} < ?`],
    parameters: [from, to] as (string | number)[],
  };
  addFilter(where, query.filter);
  return where;
}

function startOf(query: AggregateQuery, column: string): string {
  return query.stepMs === undefined
    ? String(query.from)
    : `${column} / ${query.stepMs} * ${query.stepMs}`;
}
