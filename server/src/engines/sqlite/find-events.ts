import type { DatabaseSync } from 'node:sqlite';
import type { Filter } from '../../event/filter.ts';
import type { ListQuery } from '../../store/event-store.ts';
import { selectedEventColumns } from './event-rows.ts';
import { type Row, rowsOf } from './queries.ts';

/** A window with fewer events is read through the index on time and sorted; a larger one in log order. */
const sortedEventsMax = 20_000;

type Parameter = string | number;

interface Conditions {
  readonly sql: string[];
  readonly parameters: Parameter[];
}

/**
 * Up to `limit + 1` events in log order; the last one only tells that there are
 * more. The positions are found first, through the index that fits the query:
 * the cost then follows the page, or the events of the asked user or of a small
 * window. A rare currency alone has no index and is looked for in log order.
 */
export function findEvents(database: DatabaseSync, query: ListQuery): readonly Row[] {
  const positions = findPositions(database, query);
  if (positions === undefined) return [];
  return rowsOf(
    database,
    `SELECT position, ${selectedEventColumns} FROM events WHERE position IN (${positions.sql})
      ORDER BY position ${query.order}`,
    positions.parameters,
  );
}

function findPositions(
  database: DatabaseSync,
  query: ListQuery,
): { sql: string; parameters: readonly Parameter[] } | undefined {
  const { filter } = query;
  if (filter.userIds !== undefined) {
    return select('events INDEXED BY events_by_user', conditionsOf(query, filter), query);
  }
  if (query.from !== undefined || query.to !== undefined) return findInWindow(database, query);
  if (filter.eventTypes !== undefined) return findByTypes(query, filter.eventTypes);
  return select('events NOT INDEXED', conditionsOf(query, filter), query);
}

function findInWindow(database: DatabaseSync, query: ListQuery) {
  const from = query.from ?? 0;
  const to = query.to ?? Number.MAX_SAFE_INTEGER;
  const [bounds] = rowsOf(
    database,
    `SELECT sum(event_count), min(first_position), max(last_position)
      FROM minute_counts WHERE minute >= ? AND minute < ?`,
    [Math.floor(from / 60_000) * 60_000, to],
  );
  const [events, first, last] = (bounds ?? []) as readonly (number | null)[];
  if (events === null || events === undefined) return undefined;
  const conditions = conditionsOf(query, query.filter);
  if (events <= sortedEventsMax)
    return select('events INDEXED BY events_by_timestamp', conditions, query);
  conditions.sql.push('position BETWEEN ? AND ?');
  conditions.parameters.push(first as number, last as number);
  return select('events NOT INDEXED', conditions, query);
}

/** The index on type is in log order within each type. */
function findByTypes(query: ListQuery, eventTypes: readonly string[]) {
  const parts = eventTypes.map((eventType) =>
    select(
      'events INDEXED BY events_by_type',
      conditionsOf(query, { ...query.filter, eventTypes: [eventType] }),
      query,
    ),
  );
  const sql = parts.map((part) => `SELECT * FROM (${part.sql})`).join(' UNION ALL ');
  return {
    sql: `SELECT position FROM (${sql}) ORDER BY position ${query.order} LIMIT ${query.limit + 1}`,
    parameters: parts.flatMap((part) => part.parameters),
  };
}

function conditionsOf(query: ListQuery, filter: Filter): Conditions {
  const conditions: Conditions = { sql: [], parameters: [] };
  addFilter(conditions, filter);
  if (query.from !== undefined) add(conditions, 'timestamp >= ?', query.from);
  if (query.to !== undefined) add(conditions, 'timestamp < ?', query.to);
  if (query.after !== undefined) {
    add(conditions, query.order === 'desc' ? 'position < ?' : 'position > ?', Number(query.after));
  }
  return conditions;
}

/** The filter as SQL; `matches` in event/filter.ts says the same of one event, and a test compares them. */
export function addFilter(conditions: Conditions, filter: Filter): void {
  const { userIds, eventTypes, currency } = filter;
  if (userIds !== undefined) add(conditions, `user_id IN (${marks(userIds)})`, ...userIds);
  if (eventTypes !== undefined)
    add(conditions, `event_type IN (${marks(eventTypes)})`, ...eventTypes);
  if (currency !== undefined) add(conditions, 'currency = ?', currency);
}

function add(conditions: Conditions, sql: string, ...parameters: readonly Parameter[]): void {
  conditions.sql.push(sql);
  conditions.parameters.push(...parameters);
}

function marks(values: readonly string[]): string {
  return values.map(() => '?').join(', ');
}

function select(source: string, { sql, parameters }: Conditions, query: ListQuery) {
  const where = sql.length === 0 ? '' : `WHERE ${sql.join(' AND ')}`;
  return {
    sql: `SELECT position FROM ${source} ${where} ORDER BY position ${query.order} LIMIT ${query.limit + 1}`,
    parameters,
  };
}
