import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { repository } from '../../support/source-files.ts';
import { freePort } from './free-port.ts';

const program = join(repository, 'server/src/cli/event-hub.ts');
const serve = 'server/src/cli/event-hub.ts serve';
/** `exec node ... event-hub.ts serve`, with the flags that the hub is meant to run with. */
const startScript: string = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  .scripts.start;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Where a hub is reached. */
export interface HubAddress {
  readonly url: string;
  /** `host:port` */
  readonly grpcAddress: string;
}

/** The ports and the file of a hub: kept over its restarts, so that clients come back. */
export interface HubPlace extends HubAddress {
  readonly folder: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}

export async function placeHub(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<HubPlace> {
  const http = await freePort();
  const grpc = await freePort();
  const file = join(folder, 'event-hub.db');
  return {
    folder,
    file,
    url: `http://127.0.0.1:${http}`,
    grpcAddress: `127.0.0.1:${grpc}`,
    env: {
      EVENT_HUB_HTTP_PORT: String(http),
      EVENT_HUB_GRPC_PORT: String(grpc),
      EVENT_HUB_LOG: `sqlite:${file}`,
      EVENT_HUB_LOG_LEVEL: 'warn',
      ...settings,
    },
  };
}

export interface HubCommand {
  readonly env: Readonly<Record<string, string>>;
  /** A file of this repository to run in place of `event-hub serve`, with the same flags of Node.js. */
  readonly program?: string;
}

/** A hub as `npm start` runs it, in a process group of its own. */
export class HubProcess {
  readonly pid: number;
  /** Resolves with the milliseconds from the start of the process to its line on stdout; rejects when it ends before. */
  readonly ready: Promise<number>;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #startedMs = performance.now();
  #stdout = '';
  #stderr = '';

  constructor({ env, program = serve }: HubCommand) {
    this.#child = spawnIn(repository, 'sh', ['-c', startScript.replace(serve, program)], env);
    this.pid = this.#child.pid ?? 0;
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-20_000);
    });
    this.exited = exitOf(this.#child);
    this.ready = this.#becomeReady();
    this.ready.catch(() => undefined);
  }

  /** Its line on stdout, once it is ready. */
  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** To the whole group; resolves when the process is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.signal(signal);
    return await this.exited;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) process.kill(-this.pid, signal);
  }

  /** What it holds of the machine's memory, in bytes. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  /** The processes of its group that are still there. */
  survivors(): readonly number[] {
    try {
      process.kill(-this.pid, 0);
      return [this.pid];
    } catch {
      return [];
    }
  }

  async #becomeReady(): Promise<number> {
    const line = new Promise<void>((resolve) => {
      this.#child.stdout?.on('data', () => {
        if (this.#stdout.includes('\n')) resolve();
      });
    });
    const exit = await Promise.race([line, this.exited]);
    if (exit !== undefined) {
      throw new Error(
        `the hub ended (code ${exit.code}, signal ${exit.signal}) before it was ready: ${this.#stderr}`,
      );
    }
    return performance.now() - this.#startedMs;
  }
}

export interface ProgramResult extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of `event-hub` to its end. */
export async function runProgram(
  args: readonly string[],
  { folder, env }: Pick<HubPlace, 'folder' | 'env'>,
): Promise<ProgramResult> {
  const child = spawnIn(folder, process.execPath, [program, ...args], env);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { ...(await exitOf(child)), stdout, stderr };
}

function spawnIn(
  folder: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcess {
  const path = `${join(repository, 'node_modules/.bin')}${delimiter}${process.env.PATH}`;
  return spawn(command, args, {
    cwd: folder,
    env: { PATH: path, TMPDIR: process.env.TMPDIR, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** After its output has come in whole. */
async function exitOf(child: ChildProcess): Promise<Exit> {
  const [code, signal] = await once(child, 'close');
  return { code, signal };
}
