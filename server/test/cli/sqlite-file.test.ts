import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFile } from '../../src/engines/sqlite/file-lock.ts';
import { migrations } from '../../src/engines/sqlite/schema.ts';
import { examined } from '../support/examined.ts';
import { makeOldestFile } from '../support/oldest-file.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { startTestHub } from '../support/start-test-hub.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { freePorts } from './suite/hubs.ts';

let folder: TemporaryFolder;

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** What can be wrong with a file, and with nothing else. */
describe('a file as the hub', () => {
  it('is ./data/event-hub.db where no setting says otherwise, and the start line names it', async () => {
    const hub = startCli(['serve', ...freePorts], { folder: folder.path });
    const line = await hub.until(/\n/);
    hub.process.kill('SIGTERM');
    expect((await hub.result).code).toBe(0);
    const file = join(folder.path, 'data', 'event-hub.db');
    expect(line).toContain(
      `log sqlite:${file}, store sqlite:${file}; SQLite WAL with synchronous=FULL`,
    );
  });

  it('refuses a second hub on the folder, in one line', async () => {
    const first = startCli(['serve', ...freePorts], { folder: folder.path });
    await first.until(/\n/);
    const second = await runCli(['serve', ...freePorts], { folder: folder.path });
    first.process.kill('SIGTERM');
    await first.result;
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second.stderr).toMatch(/^event-hub: another hub runs on [^\n]+\n$/);
  });

  it('ends with 2 where there is no hub, and makes none', async () => {
    const { code, stderr } = await runCli(['events', '--log=sqlite:./nowhere.db'], {
      folder: folder.path,
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^event-hub: there is no hub at \S+nowhere\.db: start one with/);
  });

  it('names a place that cannot be written, and a file that is not the hub’s', async () => {
    writeFileSync(join(folder.path, 'file'), 'in the place of a folder');
    const blocked = await doctor('--log=sqlite:./file/hub.db');
    expect(blocked.code).toBe(1);
    expect(blocked.find('folder')).toMatchObject({ state: 'fail' });
    const foreign = await doctor('--log=sqlite:./file');
    expect(foreign.code).toBe(1);
    expect(foreign.find('file')?.detail).toContain("cannot be read as a hub's file");
  });

  it('takes a lock that cannot be written for no hub', async () => {
    const file = join(folder.path, 'hub.db');
    makeOldestFile(file);
    mkdirSync(`${file}.lock`);
    const { code, find } = await doctor(`--log=sqlite:${file}`);
    expect(code).toBe(1);
    expect(find('lock')).toMatchObject({
      state: 'fail',
      detail: expect.stringMatching(/^the lock beside it cannot be taken: .*cannot be written/),
    });
  });

  it('does not touch a file that is not the hub’s', async () => {
    writeFileSync(join(folder.path, 'notes.db'), 'precious');
    const { code } = await runCli(['reset', '--yes', '--log=sqlite:./notes.db'], {
      folder: folder.path,
    });
    expect(code).toBe(2);
    expect(readdirSync(folder.path)).toEqual(['notes.db']);
  });

  it('adopts no settings under a running hub', async () => {
    const hub = await startTestHub();
    const running = await runCli(['config', 'adopt', `--log=${hub.settings.log}`]);
    await hub.remove();
    expect(running.code).toBe(2);
    expect(running.stderr).toContain('another hub runs on');
  });

  it('of an older hub is brought up to date by a start, in a line for each step', async () => {
    makeOldestFile(join(folder.path, 'data', 'event-hub.db'));
    const hub = startCli(['serve', ...freePorts], { folder: folder.path });
    await hub.until(/\n/);
    hub.process.kill('SIGTERM');
    const { code, stderr } = await hub.result;
    expect(code).toBe(0);
    const lines = stderr.split('\n').filter((line) => line.includes('schema_version'));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject(
      migrations.slice(1).map(({ description }, index) => ({
        store: join(folder.path, 'data', 'event-hub.db'),
        schema_version: index + 2,
        msg: `the store was brought to version ${index + 2}: ${description}`,
      })),
    );
  });

  it('of an older hub is left to the command where the hub may not change it', async () => {
    makeOldestFile(join(folder.path, 'data', 'event-hub.db'));
    const env = { EVENT_HUB_AUTO_MIGRATE: 'false' };
    const options = { folder: folder.path, env };
    const refused = await runCli(['serve', ...freePorts], options);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^event-hub: [^\n]*`event-hub migrate plan`[^\n]*\n$/);
    const other = await runCli(['events'], options);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('or run `event-hub migrate apply`');
    expect((await doctor()).find('file')?.detail).toContain('`event-hub migrate plan` says');
    const copied = await runCli(['backup', '--to', 'before.db'], options);
    expect(copied.code).toBe(0);
    expect((await runCli(['migrate', 'apply', '--yes'], options)).code).toBe(0);
    const hub = startCli(['serve', ...freePorts], options);
    await hub.until(/\n/);
    hub.process.kill('SIGTERM');
    expect((await hub.result).code).toBe(0);
  });

  it('is not migrated by a command while a hub runs on it', async () => {
    const file = join(folder.path, 'data', 'event-hub.db');
    makeOldestFile(file);
    const unlock = lockFile(file);
    const plan = await runCli(['migrate', 'plan'], { folder: folder.path });
    const applied = await runCli(['migrate', 'apply', '--yes'], { folder: folder.path });
    unlock();
    expect(plan.code).toBe(0);
    expect(plan.stdout).toMatch(/in the way +a hub runs on the file: stop it first/);
    expect(applied).toMatchObject({ code: 2, stdout: '' });
    expect(applied.stderr).toContain('a hub runs on the file: stop it first');
  });

  it('holds log and store alike, so that no log is ever adopted', async () => {
    const { code, stderr } = await runCli(['log', 'adopt', '--yes'], { folder: folder.path });
    expect(code).toBe(2);
    expect(stderr).toContain('there is nothing to adopt');
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

function doctor(...flags: readonly string[]) {
  return examined([...freePorts, ...flags], { folder: folder.path });
}
