import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparable, readmeSteps } from './support/document-steps.ts';
import { repository } from './support/source-files.ts';
import { type TemporaryFolder, temporaryFolder } from './support/temporary-folder.ts';

const section = 'The first five minutes';
const steps = readmeSteps(section);
const keySteps = readmeSteps('Keys');
const isLive = (command: string) => command.startsWith('curl -sN');

/** A reader's second and third terminal, against the hub that `npm start` started in the first. */
describe('the README', () => {
  let folder: TemporaryFolder;
  let hub: Started;
  let stream: Started | undefined;
  const env: NodeJS.ProcessEnv = { ...process.env };
  let inTerminal = (command: string) => command;

  beforeAll(async () => {
    folder = temporaryFolder();
    env.EVENT_HUB_HTTP_PORT = '0';
    env.EVENT_HUB_GRPC_PORT = '0';
    env.EVENT_HUB_LOG = `sqlite:${join(folder.path, 'event-hub.db')}`;
    hub = start('npm', ['start'], env);
    const line = await hub.saw((output) =>
      output.match(/serves (http:\/\/\S+) and gRPC on ([\d.:]+);/),
    );
    const [, url = '', grpcAddress = ''] = line;
    env.EVENT_HUB_URL = url;
    env.EVENT_HUB_GRPC_URL = grpcAddress;
    inTerminal = (command) =>
      command.replaceAll('http://127.0.0.1:8000', url).replaceAll('127.0.0.1:50051', grpcAddress);
  });

  afterAll(async () => {
    await stream?.stop();
    await hub?.stop();
    folder?.remove();
  });

  it('starts with two commands', () => {
    expect(readmeSteps('Start').map(({ command }) => command.trim())).toEqual([
      'npm ci && npm start',
    ]);
  });

  it('shows enough to try', () => {
    expect(steps.length).toBeGreaterThanOrEqual(10);
    expect(steps.filter(({ expected }) => expected !== undefined).length).toBeGreaterThanOrEqual(8);
  });

  it.each(steps)('$command', async ({ command, expected, kind }) => {
    if (isLive(command)) {
      stream = start('bash', ['-c', inTerminal(command)], env);
      await stream.saw((output) => output.includes('\nevent: caught-up\n'));
      return;
    }
    const { stdout, stderr } = await promisify(execFile)('bash', ['-ec', inTerminal(command)], {
      cwd: repository,
      env,
    });
    if (expected === undefined) return;
    const said = stderr.replace(/^npm warn .*\n/gm, '');
    expect(comparable(expected)).toBe(comparable(kind === 'text' ? stdout + said : stdout));
  });

  it('shows the traffic live', async () => {
    const sent = steps.find(({ command }) => command.includes('event-hub generate'));
    const count = Number(sent?.command.match(/--count (\d+)/)?.[1]);
    const times = (output: string) => output.match(/^data: .*"user_id":"demo-/gm)?.length ?? 0;
    expect(await stream?.saw((output) => times(output) >= count)).toBe(true);
  });

  it('shows keys in three lines', () => {
    const [make, use, , revoke] = keySteps.map(({ command }) => command);
    expect(make).toContain('event-hub keys create');
    expect(use).toContain('Bearer $KEY');
    expect(revoke).toContain('event-hub keys revoke');
  });

  it.each(keySteps)('$command', async ({ command, expected }) => {
    const run = async () => {
      const inBash = `${inTerminal(command)}\nprintf '\\n%s' "$KEY"`;
      const { stdout } = await promisify(execFile)('bash', ['-ec', inBash], {
        cwd: repository,
        env,
      });
      const [said = '', key = ''] = stdout.split(/\n(?=.*$)/);
      env.KEY = key;
      return comparable(said);
    };
    if (expected === undefined) await run();
    // A key counts within seconds.
    else await expect.poll(run).toBe(comparable(expected));
  });

  it('is let in nowhere without a key from then on', async () => {
    const { stdout } = await promisify(execFile)('bash', [
      '-ec',
      inTerminal('curl -s http://127.0.0.1:8000/events'),
    ]);
    expect(stdout).toContain('"code":"unauthenticated"');
  });
});

interface Started {
  /** Resolves with what `find` finds in the output, once it does; rejects when it ends without. */
  saw<T>(find: (output: string) => T | null | false): Promise<T>;
  stop(): Promise<void>;
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
