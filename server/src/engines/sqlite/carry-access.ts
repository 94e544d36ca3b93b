import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../../base/clock.ts';
import type { RestoredAccess } from '../../base/file-backups.ts';
import type { Access } from '../../store/key-store.ts';
import { mergeAccess, readAccess, revokeKeys } from './api-keys.ts';
import { connectUndisturbing, pragma, readLogId } from './open-database.ts';
import { applicationId } from './schema.ts';

/** What the file that a copy replaces tells of who may come in. */
interface ReplacedAccess extends Access {
  readonly logId: string;
}

/**
 * What was ended in the file that is replaced does not hold again in the copy,
 * and what was closed is not open again. To be called while the copy has the
 * identity of the log that it was copied from.
 */
export function carryAccess(copy: DatabaseSync, file: string, at: Instant): RestoredAccess {
  const copied = readAccess(copy);
  const replaced = readReplaced(file);
  if (typeof replaced === 'string') {
    return { replaced, isClosed: copied.isClosed, onlyInCopy: copied.keys };
  }
  const inPlace = new Set(replaced.keys.map(({ id }) => id));
  const onlyInCopy = new Set(copied.keys.map(({ id }) => id).filter((id) => !inPlace.has(id)));
  copy.exec('BEGIN IMMEDIATE');
  mergeAccess(copy, replaced);
  // The same log had these keys: they ended so long ago that it has forgotten them.
  if (replaced.logId === readLogId(copy)) revokeKeys(copy, [...onlyInCopy], at);
  copy.exec('COMMIT');
  const { isClosed, keys } = readAccess(copy);
  return { replaced: 'hub', isClosed, onlyInCopy: keys.filter(({ id }) => onlyInCopy.has(id)) };
}

/**
 * A newer hub's file is read too, as far as it can be; one that is damaged must
 * not stand in the way of the copy.
 */
function readReplaced(file: string): ReplacedAccess | 'no hub' | 'unreadable' {
  if (!existsSync(file)) return 'no hub';
  let database: DatabaseSync | undefined;
  try {
    database = connectUndisturbing(file);
    database.exec('PRAGMA trusted_schema = OFF');
    if (pragma(database, 'application_id') !== applicationId) return 'no hub';
    return { ...readAccess(database), logId: readLogId(database) };
  } catch {
    return 'unreadable';
  } finally {
    database?.close();
  }
}
