import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { HubError } from '../../base/errors.ts';

/** With less left on its disk a hub is not ready, though small commits may still fit. */
const spaceMin = 1024 * 1024;

/** What this user may still write on the folder's disk. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Rejects with `unavailable` when the file's disk is about to be full. */
export function assertSpace(file: string): void {
  const folder = dirname(file);
  const free = freeBytes(folder);
  if (free >= spaceMin) return;
  throw new HubError(
    'unavailable',
    `the disk is full: ${Math.floor(free / 1024)} KiB are left at ${folder}; the hub goes on by itself when there is room`,
    { retryAfterS: 2 },
  );
}
