import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** The program, for who must start it in a way of its own. */
export const cliEntry = fileURLToPath(new URL('../../src/cli/event-hub.ts', import.meta.url));

export interface CliOptions {
  /** What stdin says, and then its end. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly folder?: string;
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Resolves when it has ended. */
  readonly result: Promise<CliResult>;
  /** Resolves with what it has said so far on stdout, or on stderr, once that matches. */
  until(pattern: RegExp, stream?: 'stdout' | 'stderr'): Promise<string>;
}

/** The real command line, in a process of its own and without this one's settings. */
export async function runCli(
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  const running = startCli(args, options);
  running.process.stdin.end(options.input ?? '');
  return await running.result;
}

/** The same, still running. */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  return startProgram(process.execPath, [cliEntry, ...args], options);
}

/** Any other program, in the same way. */
export function startProgram(
  program: string,
  args: readonly string[],
  options: CliOptions = {},
): RunningCli {
  const child = spawn(program, args, {
    cwd: options.folder ?? import.meta.dirname,
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A command that reads nothing may end before its input is written.
  child.stdin.on('error', () => undefined);
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => {
      said[stream] += chunk;
    });
  }
  const result = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr, [code]]): CliResult => ({ code, stdout, stderr }),
  );
  const until: RunningCli['until'] = async (pattern, stream = 'stdout') => {
    while (!pattern.test(said[stream])) {
      const ended = await Promise.race([once(child[stream], 'data'), result]);
      if ('stderr' in ended && !pattern.test(said[stream])) {
        throw new Error(`it ended (${ended.code}) before it said ${pattern}: ${ended.stderr}`);
      }
    }
    return said[stream];
  };
  return { process: child, result, until };
}

/** Each line of stdout as JSON. */
export function jsonLines<T>({ stdout }: Pick<CliResult, 'stdout'>): readonly T[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
