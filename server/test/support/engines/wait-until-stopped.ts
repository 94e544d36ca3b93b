import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * After a SIGSTOP: a process of many threads runs on until the one that was handed the signal gets a processor, which
 * on a busy machine is long enough to answer. Blocks, as nothing else may happen meanwhile. Only Linux tells.
 */
export function waitUntilStopped(pid: number): void {
  const threads = `/proc/${pid}/task`;
  const runs = (thread: string) => !/[TZX]/.test(stateOf(join(threads, thread, 'stat')));
  while (existsSync(threads) && readdirSync(threads).some(runs)) Atomics.wait(nobody, 0, 0, 1);
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** One letter, as in proc(5): `T` is stopped, `Z` and `X` are dead. */
function stateOf(stat: string): string {
  try {
    const text = readFileSync(stat, 'utf8');
    return text.charAt(text.lastIndexOf(')') + 2);
  } catch {
    return 'X';
  }
}
