import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { HubError } from '../../base/errors.ts';
import type { Restored, RestoreOptions } from '../../base/file-backups.ts';
import { keepUnder, placeFile, syncFolder } from '../../base/place-file.ts';
import { isSameFile, removeParts, unfinishedOf } from './back-up-file.ts';
import { carryAccess } from './carry-access.ts';
import { copyFile, removeCopy } from './copy-file.ts';
import { readFileContent } from './file-content.ts';
import { lockFile } from './file-lock.ts';
import { migrate, renewLogId } from './open-database.ts';

const advice = 'give a file that `event-hub backup` wrote with --from';

/**
 * Puts a copy in the place of a hub's file, with an identity of its own: what
 * was appended after the copy was made is not in it, and the positions of that
 * must never be taken for those of what is appended from now on. Who may come in
 * is no part of the past that comes back: see `carryAccess`.
 */
export async function restoreFile(
  file: string,
  { from, aside, at, ...options }: RestoreOptions,
): Promise<Restored> {
  const source = resolve(from);
  assertThere(source, file);
  const unlock = lockFile(file);
  const unfinished = unfinishedOf(file);
  try {
    const finish = (copy: DatabaseSync) => {
      // An older hub's copy may have no table for the keys that it takes over.
      migrate(copy);
      const access = carryAccess(copy, file, at);
      renewLogId(copy);
      return { ...readFileContent(copy), access };
    };
    const restored = await copyFile(source, unfinished, { ...options, advice, finish });
    const kept = aside === undefined ? undefined : keepAside(file, aside);
    // The log of changes first: it belongs to the file that goes.
    removeParts(file);
    placeFile(unfinished, file, true);
    return { ...restored, aside: kept };
  } finally {
    removeCopy(unfinished);
    unlock();
  }
}

/** The file and its log of changes under another name, before anything is taken away. */
function keepAside(file: string, aside: string): string | undefined {
  if (!existsSync(file)) return undefined;
  keepUnder(file, aside);
  for (const end of ['-wal', '-journal']) {
    const part = statSync(`${file}${end}`, { throwIfNoEntry: false });
    if (part !== undefined && part.size > 0) keepUnder(`${file}${end}`, `${aside}${end}`);
  }
  syncFolder(dirname(aside));
  return aside;
}

/** Before anything is made in the hub's place. */
function assertThere(source: string, file: string): void {
  if (!existsSync(source)) throw new HubError('not_found', `there is no ${source}: ${advice}`);
  if (existsSync(file) && isSameFile(source, file)) {
    throw new HubError('conflict', `${source} is the hub's own file: ${advice}`);
  }
}
