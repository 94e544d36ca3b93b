import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { usageError } from '../exit-code.ts';

/** What was read until the signal came: a pipe that says nothing must not hold the command. */
export async function* endingWith(signal: AbortSignal, source: Readable): AsyncGenerator<Buffer> {
  signal.addEventListener('abort', () => source.destroy());
  try {
    yield* source;
  } catch (reason) {
    if (!signal.aborted) throw reason;
  }
}

/** Throws CommandError, which names the flag, for what cannot be read. */
export async function openFile(path: string, flag = '--file'): Promise<Readable> {
  try {
    await access(path);
  } catch (reason) {
    throw usageError(`${flag} ${path} cannot be read: ${(reason as Error).message}`);
  }
  return createReadStream(path);
}
