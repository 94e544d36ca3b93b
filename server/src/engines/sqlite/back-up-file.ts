import { randomBytes } from 'node:crypto';
import { existsSync, realpathSync, rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { HubError } from '../../base/errors.ts';
import type { BackUpOptions, FileContent } from '../../base/file-backups.ts';
import { placeFile } from '../../base/place-file.ts';
import { copyFile, removeCopy } from './copy-file.ts';
import { lockFile, lockOf } from './file-lock.ts';

/** A whole copy of a hub's file under its final name, or nothing under that name. */
export async function backUpFile(
  file: string,
  { to, replace, ...options }: BackUpOptions,
): Promise<FileContent> {
  const target = resolve(to);
  assertNoSideFile(target);
  const unlock = replace ? holdReplaced(file, target) : () => undefined;
  const unfinished = unfinishedOf(target);
  try {
    if (!replace) assertFree(target);
    const finish = (_: unknown, content: FileContent) => content;
    const content = await copyFile(file, unfinished, { ...options, finish });
    // A write-ahead log that stayed beside the old file would be taken for one of the new.
    if (replace) removeParts(target);
    placeFile(unfinished, target, replace);
    return content;
  } finally {
    removeCopy(unfinished);
    unlock();
  }
}

/** What a process that was killed leaves has a name that no whole copy ever has, and stands in nobody's way. */
export function unfinishedOf(file: string): string {
  return `${file}.unfinished-${randomBytes(4).toString('hex')}`;
}

/** What SQLite may have left beside a file. */
export function removeParts(file: string): void {
  for (const end of sideEnds) rmSync(`${file}${end}`, { force: true });
}

/** Both must be there. */
export function isSameFile(one: string, other: string): boolean {
  return realpathSync(one) === realpathSync(other);
}

const sideEnds = ['-wal', '-shm', '-journal'] as const;

/** By any case of letters: some disks do not tell them apart. */
const sideName = /^(.+)(?:-wal|-shm|-journal|\.lock)$/i;

/**
 * A file that stands under such a name beside another is a part of that one,
 * also when it is not there at this moment: a copy would take the place of events.
 */
function assertNoSideFile(target: string): void {
  const [, owner] = sideName.exec(target) ?? [];
  if (owner === undefined || !statSync(owner, { throwIfNoEntry: false })?.isFile()) return;
  throw new HubError(
    'conflict',
    `${target} is the name of a part of ${owner}: choose another name`,
  );
}

function assertFree(target: string): void {
  for (const name of [target, ...sideEnds.map((end) => `${target}${end}`)]) {
    if (!existsSync(name)) continue;
    throw new HubError(
      'conflict',
      `${name} is there already: choose another name, or replace it with --force`,
    );
  }
}

/** Throws `conflict` for a file on which a hub runs, this one's or another's. */
function holdReplaced(file: string, target: string): () => void {
  for (const name of [target, ...sideEnds.map((end) => `${target}${end}`)]) {
    if (!existsSync(file) || !existsSync(name) || !isSameFile(file, name)) continue;
    throw new HubError('conflict', `${name} is the hub's own file: choose another name`);
  }
  if (!existsSync(target)) return () => undefined;
  return existsSync(lockOf(target)) ? lockFile(target) : () => undefined;
}
