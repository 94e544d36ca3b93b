import type { DatabaseSync } from 'node:sqlite';
import { HubError } from '../../base/errors.ts';
import type { FileContent } from '../../base/file-backups.ts';
import { selectedEventColumns, unpackEvent } from './event-rows.ts';
import { pragma, readLogId } from './open-database.ts';
import { positionOf } from './position.ts';
import { rowsOf } from './queries.ts';
import { retentionVersion } from './schema.ts';

export function readFileContent(database: DatabaseSync): FileContent {
  const logId = readLogId(database);
  const [counted] = rowsOf(database, 'SELECT count(*) FROM events');
  const [newest] = rowsOf(
    database,
    `SELECT position, ${selectedEventColumns} FROM events ORDER BY position DESC LIMIT 1`,
  );
  return {
    logId,
    events: Number(counted?.[0]),
    removed: removedEvents(database),
    newest:
      newest === undefined
        ? undefined
        : positionOf(Number(newest[0]), logId, unpackEvent(newest, 1)),
  };
}

/** Reads every page and index of a copy. Throws `unavailable` when it is damaged or is not what it was copied from. */
export function assertSameContent(copy: DatabaseSync, wanted: FileContent): void {
  const faults = rowsOf(copy, 'PRAGMA integrity_check(3)').map(([fault]) => String(fault));
  if (faults.length !== 1 || faults[0] !== 'ok') {
    throw new HubError(
      'unavailable',
      `the copy is damaged (${faults.join('; ')}): \`event-hub doctor\` tells whether the original is`,
    );
  }
  const found = readFileContent(copy);
  const same =
    found.logId === wanted.logId &&
    found.events === wanted.events &&
    found.removed === wanted.removed &&
    found.newest === wanted.newest;
  if (same) return;
  throw new HubError(
    'unavailable',
    `the copy has ${describe(found)}, the original ${describe(wanted)}: the copy is not kept`,
  );
}

/** How many events retention has removed; an older hub's file has no table for them. */
export function removedEvents(database: DatabaseSync): number {
  if (Number(pragma(database, 'user_version')) < retentionVersion) return 0;
  const [removed] = rowsOf(database, 'SELECT sum(removed_events) FROM floors');
  return Number(removed?.[0] ?? 0);
}

function describe({ logId, events, removed, newest }: FileContent): string {
  const gone = removed === 0 ? '' : ` and records of ${removed} removed ones`;
  return `${events} events up to ${newest ?? 'none'}${gone} of the log ${logId}`;
}
