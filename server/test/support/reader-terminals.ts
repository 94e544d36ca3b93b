import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { comparable, type DocumentStep } from './document-steps.ts';
import { repository } from './source-files.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

/** A program in a terminal of its own. */
export interface Started {
  /** Resolves with what `find` finds in the output, once it does; rejects when it ends without. */
  saw<T>(find: (output: string) => T | null | false): Promise<T>;
  stop(): Promise<void>;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The terminals of somebody who follows a document: a hub that `npm start`
 * started in the first, on free ports and data of its own, and commands in the
 * others, in which the document's addresses become the hub's.
 */
export class ReaderTerminals {
  readonly env: NodeJS.ProcessEnv;
  readonly url: string;
  readonly grpcAddress: string;
  readonly #folder: TemporaryFolder;
  readonly #hub: Started;

  static async open(settings: Readonly<Record<string, string>> = {}): Promise<ReaderTerminals> {
    const folder = temporaryFolder();
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      EVENT_HUB_HTTP_PORT: '0',
      EVENT_HUB_GRPC_PORT: '0',
      EVENT_HUB_LOG: `sqlite:${join(folder.path, 'event-hub.db')}`,
      ...settings,
    };
    const hub = start('npm', ['start'], env);
    const [, url = '', grpcAddress = ''] = await hub.saw((output) =>
      output.match(/serves (http:\/\/\S+) and gRPC on ([\d.:]+);/),
    );
    env.EVENT_HUB_URL = url;
    env.EVENT_HUB_GRPC_URL = grpcAddress;
    return new ReaderTerminals(folder, hub, env);
  }

  private constructor(folder: TemporaryFolder, hub: Started, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#hub = hub;
    this.env = env;
    this.url = env.EVENT_HUB_URL ?? '';
    this.grpcAddress = env.EVENT_HUB_GRPC_URL ?? '';
  }

  /** A command with the addresses of this hub. */
  here(command: string): string {
    return command
      .replaceAll('http://127.0.0.1:8000', this.url)
      .replaceAll('127.0.0.1:50051', this.grpcAddress);
  }

  /** Rejects when a command fails. */
  async run(command: string): Promise<Output> {
    return await promisify(execFile)('bash', ['-ec', this.here(command)], {
      cwd: repository,
      env: this.env,
    });
  }

  start(command: string): Started {
    return start('bash', ['-c', this.here(command)], this.env);
  }

  /** What a step printed and what the document says of it, for a comparison. */
  async follow({ command, expected = '', kind }: DocumentStep): Promise<[string, string]> {
    const { stdout, stderr } = await this.run(command);
    const said = stderr.replace(/^npm warn .*\n/gm, '');
    return [comparable(kind === 'text' ? stdout + said : stdout), comparable(expected)];
  }

  /** Ends the hub and removes its data. */
  async close(): Promise<void> {
    await this.#hub.stop();
    this.#folder.remove();
  }
}

function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Started {
  const child: ChildProcess = spawn(command, args, { cwd: repository, env });
  let output = '';
  let look = () => {};
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    look();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return {
    saw: (find) =>
      new Promise((resolve, reject) => {
        look = () => {
          const found = find(output);
          if (found !== null && found !== false) resolve(found);
        };
        look();
        void ended.then(() => reject(new Error(`${command} ended:\n${output}`)));
      }),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
