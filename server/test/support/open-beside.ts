import { DatabaseSync } from 'node:sqlite';
import { limits } from '../../src/base/limits.ts';

/**
 * A hub's file, with SQLite alone. Whoever opens it first after a kill and whoever closes it last hold it for
 * a moment, so it waits as a hub's own connections do.
 */
export function openBeside(file: string, { readOnly = false } = {}): DatabaseSync {
  return new DatabaseSync(file, { readOnly, timeout: limits.sqliteBusyMs });
}
