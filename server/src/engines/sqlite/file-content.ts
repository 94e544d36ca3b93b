import type { DatabaseSync } from 'node:sqlite';
import { HubError } from '../../base/errors.ts';
import type { FileContent } from '../../base/file-backups.ts';
import { selectedEventColumns, unpackEvent } from './event-rows.ts';
import { readLogId } from './open-database.ts';
import { positionOf } from './position.ts';
import { rowsOf } from './queries.ts';

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
    found.newest === wanted.newest;
  if (same) return;
  throw new HubError(
    'unavailable',
    `the copy has ${describe(found)}, the original ${describe(wanted)}: the copy is not kept`,
  );
}

function describe({ logId, events, newest }: FileContent): string {
  return `${events} events up to ${newest ?? 'none'} of the log ${logId}`;
}
