import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HubError } from '../../base/errors.ts';
import type { Restored, RestoreOptions } from '../../base/file-backups.ts';
import { keepUnder, placeFile, syncFolder } from '../../base/place-file.ts';
import { isSameFile, removeParts, unfinishedOf } from './back-up-file.ts';
import { copyFile, removeCopy } from './copy-file.ts';
import { lockFile } from './file-lock.ts';
import { renewLogId } from './open-database.ts';

const advice = 'give a file that `event-hub backup` wrote with --from';

/**
 * Puts a copy in the place of a hub's file, with an identity of its own: what
 * was appended after the copy was made is not in it, and the positions of that
 * must never be taken for those of what is appended from now on.
 */
export async function restoreFile(
  file: string,
  { from, aside, ...options }: RestoreOptions,
): Promise<Restored> {
  const source = resolve(from);
  assertThere(source, file);
  const unlock = lockFile(file);
  const unfinished = unfinishedOf(file);
  try {
    const content = await copyFile(source, unfinished, { ...options, advice, change: renewLogId });
    const kept = aside === undefined ? undefined : keepAside(file, aside);
    // The log of changes first: it belongs to the file that goes.
    removeParts(file);
    placeFile(unfinished, file, true);
    return { ...content, aside: kept };
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
