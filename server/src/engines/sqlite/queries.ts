import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { limits } from '../../base/limits.ts';
import { selectedEventColumns } from './event-rows.ts';

/** Rows of plain values: `position`, then the event's columns. */
export type Row = readonly unknown[];

/** Statements of one connection, kept because preparing costs more than most queries. */
const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>();
const statementsMax = 200;

export function rowsOf(
  database: DatabaseSync,
  sql: string,
  parameters: readonly (string | number)[] = [],
): readonly Row[] {
  return prepared(database, sql).all(...parameters) as unknown as readonly Row[];
}

function prepared(database: DatabaseSync, sql: string): StatementSync {
  let known = statements.get(database);
  if (known === undefined || known.size >= statementsMax) {
    known = new Map();
    statements.set(database, known);
  }
  let statement = known.get(sql);
  if (statement === undefined) {
    statement = database.prepare(sql);
    statement.setReturnArrays(true);
    known.set(sql, statement);
  }
  return statement;
}

/** Entries after a sequence, in log order: up to `limit`, fewer when they are long. */
export function readEntries(database: DatabaseSync, after: number, limit: number): readonly Row[] {
  const statement = prepared(
    database,
    `SELECT position, ${selectedEventColumns} FROM events WHERE position > ? ORDER BY position LIMIT ?`,
  );
  const rows: Row[] = [];
  let characters = 0;
  for (const found of statement.iterate(after, limit)) {
    const row = found as unknown as Row;
    rows.push(row);
    characters += charactersOf(row);
    if (characters >= limits.readCharacters) break;
  }
  return rows;
}

/** Of the columns that may be long. */
function charactersOf(row: Row): number {
  const [, id, userId] = row as readonly [number, string, string];
  const metadata = row.at(-1) as string | null;
  return id.length + userId.length + (metadata?.length ?? 0);
}

export function findBySequence(database: DatabaseSync, sequence: number): Row | undefined {
  return rowsOf(
    database,
    `SELECT position, ${selectedEventColumns} FROM events WHERE position = ?`,
    [sequence],
  )[0];
}

export function findById(database: DatabaseSync, id: string): Row | undefined {
  return rowsOf(database, `SELECT position, ${selectedEventColumns} FROM events WHERE id = ?`, [
    id,
  ])[0];
}

export function findByIds(database: DatabaseSync, ids: readonly string[]): readonly Row[] {
  return ids.map((id) => findById(database, id)).filter((row) => row !== undefined);
}

/** `id, position, fingerprint, content_hash, timestamp, received_at` of what stays of removed events. */
export function removedByIds(database: DatabaseSync, ids: readonly string[]): readonly Row[] {
  const sql = `SELECT id, position, fingerprint, content_hash, timestamp, received_at
    FROM removed_events WHERE id = ?`;
  return ids.flatMap((id) => rowsOf(database, sql, [id]));
}

/** The same in the order of their ids, after one of them. */
export function removedAfter(database: DatabaseSync, after: string, limit: number): readonly Row[] {
  return rowsOf(
    database,
    `SELECT id, position, fingerprint, content_hash, timestamp, received_at
      FROM removed_events WHERE id > ? ORDER BY id LIMIT ?`,
    [after, limit],
  );
}

/** `shard, position, fingerprint, removed_events` of the newest event that retention removed. */
export function floorRows(database: DatabaseSync): readonly Row[] {
  return rowsOf(database, 'SELECT shard, position, fingerprint, removed_events FROM floors');
}

export function countFrozen(database: DatabaseSync): number {
  return Number(rowsOf(database, 'SELECT count(*) FROM frozen_minutes')[0]?.[0]);
}

export function newestEntry(database: DatabaseSync): Row | undefined {
  return rowsOf(
    database,
    `SELECT position, ${selectedEventColumns} FROM events ORDER BY position DESC LIMIT 1`,
  )[0];
}

export function conflictRows(database: DatabaseSync, limit: number): readonly Row[] {
  return rowsOf(
    database,
    `SELECT shard, position, ${selectedEventColumns} FROM conflicts ORDER BY shard, position LIMIT ?`,
    [limit],
  );
}

export function unreadableRows(database: DatabaseSync, limit: number): readonly Row[] {
  return rowsOf(
    database,
    'SELECT shard, position, reason, raw FROM unreadable_entries ORDER BY shard, position LIMIT ?',
    [limit],
  );
}

export function positionRows(database: DatabaseSync): readonly Row[] {
  return rowsOf(database, 'SELECT shard, position FROM positions');
}

export function countedMinuteRows(database: DatabaseSync, end: number): readonly Row[] {
  return rowsOf(
    database,
    `SELECT minute, event_type, currency, event_count, late_count,
      CAST(total_high AS TEXT), CAST(total_low AS TEXT)
    FROM counted_minutes WHERE minute < ? ORDER BY minute, event_type, currency`,
    [end],
  );
}

export function storedValue(database: DatabaseSync, key: string): string | undefined {
  const row = rowsOf(database, 'SELECT value FROM hub WHERE key = ?', [key])[0];
  return row === undefined ? undefined : String(row[0]);
}
