import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { HubError } from '../../base/errors.ts';
import type { Finding } from '../../base/finding.ts';
import { removedEvents } from './file-content.ts';
import { lockFile } from './file-lock.ts';
import { freeBytes } from './free-space.ts';
import { openDatabase, pragma, versionOf } from './open-database.ts';
import { migrations } from './schema.ts';

/** Free space in bytes: less than the first is a fault, less than the second a warning. */
const spaceMin = 64 * 1024 * 1024;
const spaceWanted = 1024 * 1024 * 1024;
const mebibyte = 1024 * 1024;
const olderFile = ": an older hub's, `event-hub migrate plan` says what the next start does to it";

/** Looks at the file, its folder and its disk without changing anything; reads every page. */
export function examineFile(file: string): readonly Finding[] {
  const folder = existingFolder(dirname(file));
  const findings = [examineSpace(folder), examineFolder(folder)];
  if (!existsSync(file)) {
    const detail = `${file} is not there yet: \`event-hub serve\` makes it`;
    return [...findings, { state: 'ok', name: 'file', detail }];
  }
  return [...findings, examineLock(file), ...examineContent(file)];
}

function existingFolder(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder
    ? folder
    : existingFolder(dirname(folder));
}

function examineSpace(folder: string): Finding {
  const free = freeBytes(folder);
  const state = free < spaceMin ? 'fail' : free < spaceWanted ? 'warn' : 'ok';
  const advice = state === 'ok' ? '' : ': make room, or move the data with EVENT_HUB_LOG';
  const detail = `${Math.floor(free / mebibyte)} MiB free at ${folder}${advice}`;
  return { state, name: 'disk', detail };
}

/** By writing: root may write where the modes say that nobody may. */
function examineFolder(folder: string): Finding {
  const probe = join(folder, `.event-hub-doctor-${process.pid}`);
  try {
    writeFileSync(probe, 'probe', { flag: 'wx' });
    rmSync(probe);
    return { state: 'ok', name: 'folder', detail: `${folder} can be written` };
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : String(reason);
    const detail = `${folder} cannot be written (${why}): give this user the right, or choose another place with EVENT_HUB_LOG`;
    return { state: 'fail', name: 'folder', detail };
  }
}

function examineLock(file: string): Finding {
  try {
    lockFile(file)();
    return { state: 'ok', name: 'lock', detail: 'no hub runs on the file' };
  } catch (reason) {
    const { code, message } = HubError.from(reason);
    return code === 'conflict'
      ? { state: 'ok', name: 'lock', detail: 'a hub runs on the file' }
      : { state: 'fail', name: 'lock', detail: `the lock beside it cannot be taken: ${message}` };
  }
}

function examineContent(file: string): readonly Finding[] {
  let database: DatabaseSync | undefined;
  try {
    database = openDatabase(file, { create: false, readOnly: true, cacheKib: 16 * 1024 });
    const version = versionOf(database);
    const events = database.prepare('SELECT count(*) AS events FROM events').get()?.events;
    const size = Math.ceil(statSync(file).size / mebibyte);
    const removed = removedEvents(database);
    const gone = removed === 0 ? '' : `, ${removed} more removed by retention`;
    const older = version < migrations.length ? olderFile : '';
    const detail = `version ${version}, ${events} events${gone}, ${size} MiB${freeInside(database)}, SQLite ${process.versions.sqlite}${older}`;
    return [{ state: 'ok', name: 'file', detail }, examinePages(database, file)];
  } catch (reason) {
    const detail = reason instanceof Error ? reason.message : String(reason);
    return [{ state: 'fail', name: 'file', detail }];
  } finally {
    database?.close();
  }
}

/** What removed events leave: the file does not become smaller, it is filled anew. */
function freeInside(database: DatabaseSync): string {
  const free = Number(pragma(database, 'freelist_count')) * Number(pragma(database, 'page_size'));
  return free < mebibyte ? '' : ` (${Math.floor(free / mebibyte)} of them free for new events)`;
}

function examinePages(database: DatabaseSync, file: string): Finding {
  const faults = database
    .prepare('PRAGMA quick_check(3)')
    .all()
    .map((row) => Object.values(row)[0]);
  if (faults.length === 1 && faults[0] === 'ok') {
    return { state: 'ok', name: 'integrity', detail: 'every page is whole' };
  }
  const detail = `${file} is damaged (${faults.join('; ')}): stop the hub and put a backup in its place with \`event-hub restore\``;
  return { state: 'fail', name: 'integrity', detail };
}
