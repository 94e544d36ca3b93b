import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/base/finding.ts';
import { jsonLines, runCli } from '../support/run-cli.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

const freePorts = ['--http-port=0', '--grpc-port=0'];
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

describe('event-hub doctor', () => {
  it('finds nothing wrong before the first start, and makes nothing', async () => {
    const { code, findings } = await doctor(...freePorts);
    expect({ code, failed: findings.filter(({ state }) => state === 'fail') }).toEqual({
      code: 0,
      failed: [],
    });
    expect(find(findings, 'file')?.detail).toContain('is not there yet');
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('knows a running hub by its ports, and looks at its file', async () => {
    hub = await startTestHub();
    const { http, grpc } = portsOf(hub);
    const { code, findings } = await doctor(
      `--http-port=${http}`,
      `--grpc-port=${grpc}`,
      `--log=${hub.settings.log}`,
    );
    expect(code).toBe(0);
    expect(find(findings, 'http')?.detail).toMatch(/a hub runs here and is ready; SQLite WAL/);
    expect(find(findings, 'grpc')?.detail).toMatch(/a hub runs here and serves/);
    expect(find(findings, 'lock')?.detail).toBe('a hub runs on the file');
    expect(find(findings, 'integrity')?.state).toBe('ok');
  });

  it('names a port that something else holds, and the setting', async () => {
    const taken = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { code, findings } = await doctor(`--http-port=${port}`, '--grpc-port=0');
    taken.close();
    expect(code).toBe(1);
    expect(find(findings, 'http')).toMatchObject({
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

  it('names a place that cannot be written, and a file that is not the hub’s', async () => {
    writeFileSync(join(folder.path, 'file'), 'in the place of a folder');
    const blocked = await doctor(...freePorts, '--log=sqlite:./file/hub.db');
    expect(blocked.code).toBe(1);
    expect(find(blocked.findings, 'folder')).toMatchObject({ state: 'fail' });
    const foreign = await doctor(...freePorts, '--log=sqlite:./file');
    expect(foreign.code).toBe(1);
    expect(find(foreign.findings, 'file')?.detail).toContain("cannot be read as a hub's file");
  });

  it('notices settings that the store does not agree with', async () => {
    hub = await startTestHub();
    const { code, findings } = await doctor(
      ...freePorts,
      `--log=${hub.settings.log}`,
      '--event-types=sale:+',
    );
    expect(code).toBe(1);
    expect(find(findings, 'agreement')?.detail).toContain('event-hub config adopt');
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

  it('does not adopt under a running hub, nor where no hub was', async () => {
    hub = await startTestHub();
    const running = await runCli(['config', 'adopt', `--log=${hub.settings.log}`]);
    expect(running.code).toBe(2);
    expect(running.stderr).toContain('another hub runs on');
    const nowhere = await runCli(['config', 'adopt'], { folder: folder.path });
    expect(nowhere.code).toBe(2);
    expect(nowhere.stderr).toContain('there is no hub at');
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

describe('event-hub reset', () => {
  it('empties a stopped hub only with --yes, and never a running one', async () => {
    hub = await startTestHub();
    const { log, store } = hub.settings;
    const { url } = hub;
    expect((await runCli(['generate', '--count=10', `--url=${url}`])).code).toBe(0);
    const running = await runCli(['reset', '--yes', `--log=${log}`]);
    expect(running.code).toBe(2);
    expect(running.stderr).toContain('another hub runs on');
    await hub.stop();
    expect((await runCli(['reset', `--log=${log}`])).code).toBe(2);
    expect(await count(log)).toBe(10);
    const done = await runCli(['reset', '--yes', `--log=${log}`]);
    expect(done).toEqual({ code: 0, stdout: '', stderr: `${log} is empty\n` });
    expect((await runCli(['reset', '--yes', `--log=${log}`])).code).toBe(0);
    const restarted = await startTestHub({ log, store });
    expect(await count(log)).toBe(0);
    await restarted.remove();
  });

  it('does not touch a file that is not the hub’s', async () => {
    writeFileSync(join(folder.path, 'notes.db'), 'precious');
    const { code } = await runCli(['reset', '--yes', '--log=sqlite:./notes.db'], {
      folder: folder.path,
    });
    expect(code).toBe(2);
    expect(readdirSync(folder.path)).toEqual(['notes.db']);
  });
});

async function doctor(...flags: readonly string[]) {
  const { code, stdout } = await runCli(['doctor', '--output=ndjson', ...flags], {
    folder: folder.path,
  });
  return { code, findings: jsonLines<Finding>({ stdout }) };
}

function find(findings: readonly Finding[], name: string): Finding | undefined {
  return findings.find((finding) => finding.name === name);
}

function portsOf({ url, grpcAddress }: TestHub) {
  return { http: new URL(url).port, grpc: grpcAddress.split(':').at(-1) };
}

async function count(log: string): Promise<number> {
  return jsonLines(await runCli(['events', '--all', `--log=${log}`])).length;
}
