import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ModePlace, newFile } from '../support/hub-places.ts';
import { type HubProcess, startHubProcess } from '../support/hub-process.ts';
import { runCli } from '../support/run-cli.ts';

let place: ModePlace;
let hub: HubProcess;

beforeAll(async () => {
  place = await newFile();
  const env = { EVENT_HUB_LOG_LEVEL: 'warn' };
  hub = await startHubProcess(place, 'http,grpc,readers', env);
});
afterAll(async () => {
  expect(await hub.stop()).toBe(0);
  await place.destroy();
});

const ask = (...args: readonly string[]) => runCli(['log-level', ...args, `--url=${hub.url}`]);

describe('event-hub log-level', () => {
  it('says which level holds, and changes it in the running process', async () => {
    const shown = await ask('--output=ndjson');
    expect(shown.code).toBe(0);
    expect(JSON.parse(shown.stdout)).toEqual({
      level: 'warn',
      configured_level: 'warn',
      until: null,
    });
    const changed = await ask('debug', '--for', '1h', '--output=json');
    expect(changed.code).toBe(0);
    expect(JSON.parse(changed.stdout)[0]).toMatchObject({
      level: 'debug',
      until: expect.stringMatching(/Z$/),
    });
    // Under `warn` an info line was not written.
    expect(await hub.cli.until(/log_level_changed/, 'stderr')).toContain('"to":"debug"');
    expect((await ask()).stdout).toMatch(/^level +configured_level +until\ndebug +warn +\d{4}-/);
    expect((await ask('warn')).stdout).toMatch(/\nwarn +warn\n$/);
  });

  it('refuses what is no level and no time, before it asks', async () => {
    const nowhere = ['--url=http://127.0.0.1:9'];
    for (const [args, words] of [
      [['loud'], 'trace|debug|info'],
      [['debug', 'info'], 'unexpected argument info'],
      [['debug', '--for=soon'], '--for must be a duration'],
      [['--for=10m'], '--for goes with a level'],
    ] as const) {
      const refused = await runCli(['log-level', ...args, ...nowhere]);
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toContain(words);
    }
  });

  it.each(['<html>welcome</html>', 'null', '{}'])(
    'says that no hub is there where another program answers with %s',
    async (text) => {
      const other = createServer((_, response) => response.end(text));
      other.listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      const answer = await runCli(['log-level', `--url=http://127.0.0.1:${port}`]);
      other.close();
      expect(answer).toMatchObject({ code: 3, stdout: '' });
      expect(answer.stderr).toContain("the answer 200 is none of a hub's");
    },
  );

  it('says what the hub refuses, and where none answers', async () => {
    const long = await ask('debug', '--for=8d');
    expect(long).toMatchObject({ code: 2, stdout: '' });
    expect(long.stderr).toContain('at most 7d');
    const wrong = await runCli(['log-level', `--url=${hub.url}`], {
      env: { EVENT_HUB_API_KEY: 'eh_wrong' },
    });
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    const nobody = await runCli(['log-level', '--url=http://127.0.0.1:9']);
    expect(nobody.code).toBe(3);
    expect(nobody.stderr).toContain('is a hub running at');
  });
});
