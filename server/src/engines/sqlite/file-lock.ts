import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HubError } from '../../base/errors.ts';
import { isBusy } from './sqlite-fault.ts';

/**
 * One hub per file, by an open exclusive transaction on a side file: the kernel
 * lets go of the lock when the process dies, however it dies. The answer lets go.
 */
export function lockFile(file: string): () => void {
  let side: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true });
    side = new DatabaseSync(lockOf(file));
    side.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
    const held = side;
    return () => held.close();
  } catch (reason) {
    side?.close();
    throw isBusy(reason) ? taken(file) : notWritable(file, reason);
  }
}

/** The side file. */
export function lockOf(file: string): string {
  return `${file}.lock`;
}

function taken(file: string): HubError {
  return new HubError(
    'conflict',
    `another hub runs on ${file}: stop it, or give this one a file of its own with EVENT_HUB_LOG=sqlite:OTHER.db`,
  );
}

function notWritable(file: string, reason: unknown): HubError {
  const why = reason instanceof Error ? reason.message : String(reason);
  return new HubError(
    'unavailable',
    `${file} cannot be written (${why}): mend that, or choose another place with EVENT_HUB_LOG=sqlite:OTHER.db`,
    { cause: reason },
  );
}
