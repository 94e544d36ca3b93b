import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { HubError } from './errors.ts';

/**
 * Gives a finished file its name: whoever finds it there finds it whole, also
 * after the power went. Throws `conflict` when something has that name already,
 * unless it is to be replaced.
 */
export function placeFile(unfinished: string, file: string, replace: boolean): void {
  syncPath(unfinished);
  if (replace) renameSync(unfinished, file);
  else renameToNew(unfinished, file);
  syncFolder(dirname(file));
}

/** A second name for the file, or a copy where the disk has no second names. What is there is never replaced. */
export function keepUnder(file: string, name: string): void {
  try {
    linkSync(file, name);
  } catch (reason) {
    if ((reason as NodeJS.ErrnoException).code === 'EEXIST') throw taken(name);
    copyFileSync(file, name, constants.COPYFILE_EXCL);
    syncPath(name);
  }
}

function renameToNew(unfinished: string, file: string): void {
  try {
    linkSync(unfinished, file);
  } catch {
    if (existsSync(file)) throw taken(file);
    // A disk without second names, such as FAT: the look and the rename are two steps there.
    renameSync(unfinished, file);
    return;
  }
  rmSync(unfinished);
}

function taken(file: string): HubError {
  return new HubError('conflict', `${file} is there already: choose another name`);
}

/** Afterwards what was written to the file is on the disk. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The names in a folder; Windows keeps them by itself and lets nobody sync them. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
