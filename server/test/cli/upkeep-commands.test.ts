import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examined } from '../support/examined.ts';
import { jsonLines, runCli } from '../support/run-cli.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

let folder: TemporaryFolder;

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

describe('event-hub doctor', () => {
  it('names a port that something else holds, and the setting', async () => {
    const taken = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { code, find } = await doctor(`--http-port=${port}`, '--grpc-port=0');
    taken.close();
    expect(code).toBe(1);
    expect(find('http')).toMatchObject({
      state: 'fail',
      detail: `127.0.0.1:${port} is taken by something else: stop it, or set EVENT_HUB_HTTP_PORT to another`,
    });
  });

  it('lists every fault of the settings', async () => {
    const { code, findings } = await doctor('--http-port=x', '--default-currency=euro');
    expect(code).toBe(1);
    const faults = findings.filter(({ name }) => name === 'settings');
    expect(faults.map(({ state }) => state)).toEqual(['fail', 'fail']);
    expect(faults[0]?.detail).toContain('flag --http-port: expected a port');
  });
});

describe('event-hub config', () => {
  it('prints every setting with its source', async () => {
    writeFileSync(join(folder.path, 'event-hub.json'), '{"http":{"port":1234}}');
    const { code, stdout } = await runCli(
      ['config', 'print', '--output=ndjson', '--log-level=warn'],
      { folder: folder.path, env: { EVENT_HUB_MAX_FUTURE: '5m' } },
    );
    expect(code).toBe(0);
    const values = jsonLines<{ setting: string; value: string; source: string }>({ stdout });
    const file = `file ${join(folder.path, 'event-hub.json')}`;
    expect(values).toContainEqual({ setting: 'http.port', value: '1234', source: file });
    expect(values).toContainEqual({
      setting: 'logLevel',
      value: 'warn',
      source: 'flag --log-level',
    });
    expect(values).toContainEqual({
      setting: 'maxFuture',
      value: '5m',
      source: 'env EVENT_HUB_MAX_FUTURE',
    });
    expect(values).toContainEqual({
      setting: 'store',
      value: `sqlite:${join(folder.path, 'data', 'event-hub.db')}`,
      source: 'default',
    });
  });

  it('takes its file from --config or EVENT_HUB_CONFIG, and paths from its folder', async () => {
    mkdirSync(join(folder.path, 'etc'));
    const file = join(folder.path, 'etc', 'hub.json');
    writeFileSync(file, '{"log":"sqlite:./hub.db"}');
    const log = `sqlite:${join(folder.path, 'etc', 'hub.db')}`;
    const print = ['config', 'print', '--output=ndjson'];
    const [byFlag, byEnv, missing] = await Promise.all([
      runCli([...print, `--config=${file}`]),
      runCli(print, { env: { EVENT_HUB_CONFIG: file } }),
      runCli([...print, '--config=./missing.json'], { folder: folder.path }),
    ]);
    for (const result of [byFlag, byEnv]) {
      expect(jsonLines(result)).toContainEqual({
        setting: 'log',
        value: log,
        source: `file ${file}`,
      });
    }
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toContain('flag --config');
  });

  it('warns of a variable that is no setting', async () => {
    const { code, stderr } = await runCli(['config', 'print'], {
      env: { EVENT_HUB_HTP_PORT: '1' },
    });
    expect(code).toBe(0);
    expect(stderr).toBe(
      'event-hub: warning: env EVENT_HUB_HTP_PORT is no setting and does nothing; did you mean EVENT_HUB_HTTP_PORT?\n',
    );
  });
});

function doctor(...flags: readonly string[]) {
  return examined(flags, { folder: folder.path });
}
