import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { someEvents } from '../support/build-event.ts';
import { append } from '../support/fill-place.ts';
import type { Place } from '../support/hub-places.ts';
import { postEvents } from '../support/rest-calls.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { copyArgs, stored } from './copy.suite.ts';

let folder: TemporaryFolder;
let hub: TestHub | undefined;

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await hub?.remove();
  hub = undefined;
  folder.remove();
});

describe('event-hub copy', () => {
  it('says what is missing or does not fit, with exit code 2', async () => {
    const refused = async (...args: readonly string[]) => {
      const { code, stderr } = await runCli(['copy', ...args], { folder: folder.path });
      expect(code).toBe(2);
      return stderr;
    };
    expect(await refused('--from', 'sqlite:a.db')).toContain('--from URL and --to URL');
    expect(await refused('--from', 'http://a', '--to', 'sqlite:b.db')).toContain('no URL of a log');
    expect(await refused('--from', 'sqlite:a.db', '--to', 'redis://127.0.0.1')).toContain(
      '--to-store: needed beside a redis log',
    );
    expect(await refused('--from', 'sqlite:a.db', '--to', 'sqlite:./a.db')).toContain('are one');
    const store = ['--from', 'mongodb://127.0.0.1/a', '--from-store', 'mongodb://127.0.0.1/a'];
    expect(await refused(...store, '--to', 'sqlite:b.db')).toContain('a store already');
    expect(await refused('--from', 'sqlite:a.db', '--to', 'sqlite:b.db')).toContain('no hub at');
    expect(existsSync(join(folder.path, 'b.db'))).toBe(false);
  });

  it('ends with 3 where an engine does not answer', async () => {
    const source = fileAt('source');
    await append(source, someEvents(1));
    const to = ['--to', 'redis://127.0.0.1:1', '--to-store', 'mongodb://127.0.0.1:1/hub'];
    const { code } = await runCli(['copy', '--from', source.log, ...to]);
    expect(code).toBe(3);
  });

  it('is refused while a hub runs on the file, and takes its events with --follow', async () => {
    hub = await startTestHub();
    const source = placeOf(hub);
    const target = fileAt('target');
    const refused = await runCli(copyArgs(source, target));
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain('another hub runs on');
    expect(existsSync(join(folder.path, 'target.db'))).toBe(false);

    const running = startCli(copyArgs(source, target, ['--follow']));
    await running.until(/following it/, 'stderr');
    const { status } = await postEvents(hub.url, [
      { user_id: 'u1', event_type: 'purchase', amount: '150.75' },
      { user_id: 'u2', event_type: 'return', amount: '0.000001' },
    ]);
    expect(status).toBe(201);
    running.process.kill('SIGTERM');
    const { code, stderr } = await running.result;
    expect(stderr).toContain('2 events copied');
    expect(code).toBe(0);
    expect(await stored(target)).toEqual(await stored(source));
  });

  it('refuses a target whose hub takes other events for valid', async () => {
    hub = await startTestHub({ defaultCurrency: 'EUR' });
    const other = await startTestHub({ defaultCurrency: 'USD' });
    await Promise.all([hub.stop(), other.stop()]);
    const { code, stderr } = await runCli(copyArgs(placeOf(hub), placeOf(other)));
    await other.remove();
    expect(code).toBe(2);
    expect(stderr).toContain(
      'default currency EUR, the target purchase:+,return:-,refund:- and USD',
    );
  });
});

function fileAt(name: string): Place {
  const url = `sqlite:${join(folder.path, `${name}.db`)}`;
  return { log: url, store: url, destroy: async () => undefined };
}

function placeOf({ settings }: TestHub): Place {
  return { log: settings.log, store: settings.store, destroy: async () => undefined };
}
