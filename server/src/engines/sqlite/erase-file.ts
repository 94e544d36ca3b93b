import { rmSync } from 'node:fs';
import { lockFile } from './file-lock.ts';
import { openDatabase } from './open-database.ts';

/**
 * Removes a hub's file with all events. Throws `conflict` while a hub runs on
 * it or when the file is not a hub's, `not_found` when there is none. The next
 * file has another identity, so that positions of this one are not mistaken.
 */
export function eraseFile(file: string): void {
  openDatabase(file, { create: false, readOnly: true, cacheKib: 1024 }).close();
  const unlock = lockFile(file);
  try {
    // The log of changes first: without it the rest is an older file, never a broken one.
    for (const part of [`${file}-wal`, `${file}-shm`, file]) rmSync(part, { force: true });
  } finally {
    unlock();
  }
}
