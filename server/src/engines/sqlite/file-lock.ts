import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HubError } from '../../base/errors.ts';
import { primaryCode } from './sqlite-fault.ts';

const busy = 5;

/**
 * One hub per file, by an open exclusive transaction on a side file: the kernel
 * lets go of the lock when the process dies, however it dies. The answer lets go.
 */
export function lockFile(file: string): () => void {
  mkdirSync(dirname(file), { recursive: true });
  const side = new DatabaseSync(`${file}.lock`);
  try {
    side.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (reason) {
    side.close();
    if (primaryCode(reason) !== busy) throw reason;
    throw new HubError(
      'conflict',
      `another hub runs on ${file}: stop it, or give this one a file of its own with EVENT_HUB_LOG=sqlite:OTHER.db`,
    );
  }
  return () => side.close();
}
