import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { findOnPath, type OwnEngine } from './find-engine.ts';
import { waitUntilStopped } from './wait-until-stopped.ts';

export interface EngineCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly folder: string;
  /** The line on stdout with which it says that it takes connections. */
  readonly ready: RegExp;
}

/** A database server as a process or a container; it can be killed, frozen and started again. */
export class EngineProcess {
  readonly #engine: OwnEngine;
  readonly #command: EngineCommand;
  #running: { readonly child: ChildProcess; readonly ended: Promise<unknown> } | undefined;
  #starts = 0;
  #container = '';

  constructor(engine: OwnEngine, command: EngineCommand) {
    this.#engine = engine;
    this.#command = command;
  }

  /** Resolves when it takes connections; rejects with its last words when it ends instead. */
  async start(): Promise<void> {
    if (this.#running !== undefined) throw new Error(`${this.#command.program} runs already`);
    const child = this.#spawn();
    const ended = new Promise((resolve) => child.once('close', resolve));
    const running = { child, ended };
    this.#running = running;
    const killAtExit = () => this.#signal('SIGKILL');
    process.once('exit', killAtExit);
    child.once('close', () => {
      process.off('exit', killAtExit);
      if (this.#running === running) this.#running = undefined;
    });
    await this.#readiness(child);
  }

  /** Resolves when it is gone. A frozen one is woken for it. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#signal(signal);
    if (signal === 'SIGTERM') this.#signal('SIGCONT');
    await running.ended;
  }

  /** SIGSTOP: its connections stay open, and from now on nothing answers. */
  pause(): void {
    this.#signal('SIGSTOP');
    const pid = this.#running?.child.pid;
    if (this.#engine.kind === 'program' && pid !== undefined) waitUntilStopped(pid);
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  #spawn(): ChildProcess {
    const { program, args, port, folder } = this.#command;
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    if (this.#engine.kind === 'program') {
      const [first = '', ...rest] = [...guard(), this.#engine.path, ...args];
      return spawn(first, rest, { cwd: folder, stdio });
    }
    this.#starts += 1;
    this.#container = `event-hub-test-${port}-${process.pid}-${this.#starts}`;
    // The same port and folder inside as outside, so that the arguments mean the same.
    const run = ['run', '--rm', '--name', this.#container, '-p', `127.0.0.1:${port}:${port}`];
    const user = ['--user', `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`];
    const where = ['-v', `${folder}:${folder}`, '-w', folder, ...user];
    return spawn(
      this.#engine.docker,
      [...run, ...where, '--entrypoint', program, this.#engine.image, ...args],
      { stdio },
    );
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#running === undefined) return;
    if (this.#engine.kind === 'program') this.#running.child.kill(signal);
    else spawnSync(this.#engine.docker, ['kill', '--signal', signal, this.#container]);
  }

  #readiness(child: ChildProcess): Promise<void> {
    const { program, ready } = this.#command;
    let said = '';
    return new Promise((resolve, reject) => {
      const hear = (chunk: Buffer) => {
        said += chunk;
        if (ready.test(said)) resolve();
        // One chunk may hold more than is kept, and the line anywhere in it.
        said = said.slice(-8192);
      };
      child.stdout?.on('data', hear);
      child.stderr?.on('data', hear);
      child.once('error', reject);
      child.once('close', (code, signal) =>
        reject(new Error(`${program} ended (${signal ?? code}) before it was ready: ${said}`)),
      );
    });
  }
}

/**
 * A free port below those that the system gives to outgoing connections: while
 * an engine is down, nobody takes its port, and no client that reconnects is
 * connected to itself.
 */
export async function freeEnginePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
      return port;
    } catch {
      // Taken: the next one.
    }
  }
}

let knownGuard: readonly string[] | undefined;

/** Where Linux has it: the kernel kills the engine when its parent dies, whatever killed that. */
function guard(): readonly string[] {
  if (knownGuard === undefined) {
    const setpriv = findOnPath('setpriv');
    const command = [setpriv ?? '', '--pdeathsig', 'KILL'];
    const works =
      setpriv !== undefined && spawnSync(setpriv, [...command.slice(1), 'true']).status === 0;
    knownGuard = works ? command : [];
  }
  return knownGuard;
}
