import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { HubError } from '../../base/errors.ts';
import type { CopyOptions, FileContent } from '../../base/file-backups.ts';
import { assertSameContent, readFileContent } from './file-content.ts';
import { freeBytes } from './free-space.ts';
import { openDatabase, pragma } from './open-database.ts';

/** 4 MiB between two looks at the signal. */
const pagesPerStep = 1_024;
const cacheKib = 16 * 1024;

export interface FileCopyOptions<Answer> extends CopyOptions {
  /** What to do about a source that is no hub's file. */
  readonly advice?: string;
  /** May change the copy, once it is known to be whole and to have this content; its answer is the copy's. */
  readonly finish: (copy: DatabaseSync, content: FileContent) => Answer;
}

/**
 * Copies a hub's file as it is at one moment, whoever writes to it meanwhile,
 * into one plain file that is not there yet, and reads the whole copy once. What
 * fails or is interrupted leaves nothing.
 */
export async function copyFile<Answer>(
  from: string,
  to: string,
  options: FileCopyOptions<Answer>,
): Promise<Answer> {
  const { advice } = options;
  const source = openDatabase(from, {
    create: false,
    readOnly: true,
    cacheKib,
    ...(advice === undefined ? {} : { advice }),
  });
  try {
    // One snapshot for all steps: without it each write of a hub would make the copy begin anew.
    source.exec('BEGIN');
    const content = readFileContent(source);
    assertRoom(source, to);
    // Nobody may read more in the copy than in the original: it has the hashes of the keys.
    closeSync(openSync(to, 'wx', statSync(from).mode & 0o777));
    await copyPages(source, to, options);
    return finishCopy(to, content, options.finish);
  } catch (reason) {
    throw reason instanceof HubError ? reason : failed(from, to, reason);
  } finally {
    source.close();
  }
}

/** The names that SQLite may leave. */
export function removeCopy(file: string): void {
  for (const part of [file, `${file}-journal`, `${file}-wal`, `${file}-shm`]) {
    rmSync(part, { force: true });
  }
}

async function copyPages(
  source: DatabaseSync,
  to: string,
  { onProgress, signal }: CopyOptions,
): Promise<void> {
  await backup(source, to, {
    rate: pagesPerStep,
    progress: ({ totalPages, remainingPages }) => {
      onProgress(totalPages - remainingPages, totalPages);
      if (signal.aborted) throw interrupted();
    },
  });
  if (signal.aborted) throw interrupted();
}

/** Without a write-ahead log: one file that can be moved, and read where nothing can be written. */
function finishCopy<Answer>(
  file: string,
  content: FileContent,
  finish: FileCopyOptions<Answer>['finish'],
): Answer {
  const copy = new DatabaseSync(file);
  try {
    copy.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON');
    assertSameContent(copy, content);
    return finish(copy, content);
  } finally {
    copy.close();
  }
}

function assertRoom(source: DatabaseSync, to: string): void {
  const needed = Number(pragma(source, 'page_count')) * Number(pragma(source, 'page_size'));
  const folder = dirname(to);
  if (freeBytes(folder) > needed) return;
  throw new HubError(
    'unavailable',
    `the copy takes ${Math.ceil(needed / 1_048_576)} MiB, and ${folder} has not so much left: make room, or choose another disk`,
  );
}

function interrupted(): HubError {
  return new HubError('unavailable', 'interrupted: nothing was changed');
}

function failed(from: string, to: string, reason: unknown): HubError {
  const why = reason instanceof Error ? reason.message : String(reason);
  return new HubError('unavailable', `${from} cannot be copied to ${to}: ${why}`, {
    cause: reason,
  });
}
