import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newFile } from '../support/hub-places.ts';
import { openBeside } from '../support/open-beside.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { type CliResult, jsonLines, runCli } from '../support/run-cli.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { endAmid } from './suite/end-amid.ts';
import { Hubs, type PlacedHub } from './suite/hubs.ts';

interface Listed {
  readonly id: string;
  readonly position: string;
}

const hubs = new Hubs(newFile);
let hub: PlacedHub;
let folder: TemporaryFolder;
let copy: string;

beforeEach(async () => {
  folder = temporaryFolder();
  copy = join(folder.path, 'copy.db');
  hub = await hubs.start();
});
afterEach(async () => {
  await hubs.end();
  folder.remove();
});

const backUp = (...flags: readonly string[]) =>
  runCli(['backup', '--to', copy, ...hub.place.flags, ...flags]);
const restore = (...flags: readonly string[]) =>
  runCli(['restore', '--from', copy, ...hub.place.flags, ...flags]);
const generate = async (count: number) =>
  expect(
    (await runCli(['generate', `--count=${count}`, `--url=${hub.url}`, '--protocol=batch'])).code,
  ).toBe(0);
/** Everything in a file, in log order. */
const contentOf = async (file: string) => {
  const flags = ['--all', '--order=asc', '--output=ndjson', `--log=sqlite:${file}`];
  return jsonLines<Listed>(await done(runCli(['events', ...flags])));
};
const fileOfHub = () => hub.place.log.slice('sqlite:'.length);

describe('event-hub backup and restore', () => {
  it('bring every event back as it was, with the keys, the closed hub and counts that verify', async () => {
    await generate(1_200);
    await postEvents(
      hub.url,
      anInput({ id: 'odd', amount: '0.000001', metadata: { a: ['ü', 1] } }),
    );
    await done(runCli(['keys', 'create', '--name=shop', '--scopes=admin', ...hub.place.flags]));
    const before = await contentOf(fileOfHub());
    const made = await done(backUp());
    expect(made.stderr).toContain(`1201 events up to position ${before.at(-1)?.position}`);

    await hub.stop();
    await done(runCli(['reset', '--yes', ...hub.place.flags]));
    const restored = await done(restore());
    expect(restored.stderr).toContain('"audit":"hub_restored"');
    const after = await contentOf(fileOfHub());
    expect(after.map(withoutLog)).toEqual(before.map(withoutLog));
    const keys = await done(runCli(['keys', 'list', '--output=ndjson', ...hub.place.flags]));
    expect(jsonLines(keys)).toMatchObject([{ name: 'shop' }]);
    hub = await hubs.restart(hub);
    expect(await get(hub.url, '/events')).toMatchObject({ status: 401 });
    await done(runCli(['metrics', 'verify', ...hub.place.flags]));
  });

  it('have every event that was answered before, while more come in all the time', async () => {
    await fill(10_000);
    const acknowledged: string[] = [];
    let sending = true;
    const send = async () => {
      while (sending) {
        const batch = Array.from({ length: 20 }, () => anInput());
        const { status } = await postEvents(hub.url, batch);
        if (status < 300) acknowledged.push(...batch.map(({ id }) => String(id)));
      }
    };
    const senders = Promise.all([send(), send()]);
    await expect.poll(() => acknowledged.length).toBeGreaterThan(100);
    const before = [...acknowledged];
    const made = await backUp().finally(() => {
      sending = false;
    });
    const during = acknowledged.length;
    await senders;
    expect(made.code).toBe(0);
    const ids = new Set((await contentOf(copy)).map(({ id }) => id));
    // Something was written while the copy was made, or this shows nothing.
    expect(10_000 + during).toBeGreaterThan(ids.size);
    expect(before.filter((id) => !ids.has(id))).toEqual([]);
    await done(runCli(['metrics', 'verify', `--log=sqlite:${copy}`]));
  });

  const endedAmid = (signal: 'SIGKILL' | 'SIGINT') =>
    endAmid(signal, ['backup', '--to', copy, ...hub.place.flags], {
      folder: folder.path,
      undo: () => rmSync(copy),
    });

  it('leave nothing that looks whole when the process is killed', async () => {
    await fill(20_000);
    expect((await endedAmid('SIGKILL')).code).toBeNull();
    const left = readdirSync(folder.path);
    expect(left).not.toContain('copy.db');
    const [unfinished] = left.filter((name) => /^copy\.db\.unfinished-[0-9a-f]{8}$/.test(name));
    expect(unfinished).toBeDefined();
    copy = join(folder.path, String(unfinished));
    await hub.stop();
    const refused = await restore();
    expect(refused.code).toBeGreaterThan(0);
    expect(await contentOf(fileOfHub())).toHaveLength(20_000);
    // And the next one is made beside what was left.
    copy = join(folder.path, 'copy.db');
    await done(backUp());
    expect(readdirSync(folder.path)).toContain('copy.db');
  });

  it('leave nothing at all when interrupted', async () => {
    await fill(20_000);
    expect(await endedAmid('SIGINT')).toMatchObject({
      code: 1,
      stderr: 'event-hub: interrupted: nothing was changed\n',
    });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('make positions from after the backup, and from before, gone', async () => {
    await generate(5);
    await done(backUp());
    const old = (await contentOf(fileOfHub())).at(-1)?.position;
    const later = (await postEvents(hub.url, anInput({ id: 'later' }))).json.position;
    await hub.stop();
    await done(restore());
    hub = await hubs.restart(hub);
    // In the place of what is lost something else stands now.
    const inItsPlace = (await postEvents(hub.url, anInput({ id: 'in-its-place' }))).json.position;
    for (const position of [later, old]) {
      const feed = await get(hub.url, `/events/stream?follow=false&after=${position}`);
      expect(feed).toMatchObject({ status: 410, json: { code: 'position_gone' } });
    }
    expect(inItsPlace.slice(0, 16)).toBe(later.slice(0, 16));
    expect((await get(hub.url, '/events/later')).status).toBe(404);
    const again = await postEvents(hub.url, anInput({ id: 'later' }));
    expect(again.json.status).toBe('success');
  });
});

describe('event-hub backup', () => {
  it('replaces a file only with --force, and never the hub’s own or one on which a hub runs', async () => {
    await done(backUp());
    await generate(3);
    const first = readFileSync(copy);
    const second = await backUp();
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second.stderr).toContain('copy.db is there already');
    expect(readFileSync(copy)).toEqual(first);
    await done(backUp('--force'));
    expect(await contentOf(copy)).toHaveLength(3);
    const other = await hubs.start();
    for (const place of [hub, other]) {
      copy = place.place.log.slice('sqlite:'.length);
      expect((await backUp('--force')).code).toBe(2);
    }
    expect(readdirSync(folder.path)).toEqual(['copy.db']);
  });

  it('takes no name of a part of a hub’s file, with --force or without, there or not', async () => {
    await generate(3);
    const linked = join(folder.path, 'linked');
    symlinkSync(dirname(fileOfHub()), linked);
    const byLink = join(linked, basename(fileOfHub()));
    const other = join(folder.path, 'other.db');
    copy = other;
    await done(backUp());
    const names = readdirSync(dirname(fileOfHub()));
    expect(names).toContain(`${basename(fileOfHub())}-wal`);
    const ends = ['-wal', '-shm', '-journal', '.lock', '.lock-journal'];
    const parts = ends.map((end) => `${fileOfHub()}${end}`);
    for (const part of [...parts, `${byLink}-wal`, `${other}-wal`]) {
      copy = part;
      const { code, stderr } = await backUp('--force');
      expect({ part, code }).toEqual({ part, code: 2 });
      expect(stderr).toContain('is the name of a part of');
    }
    copy = `${other}.lock`;
    expect(await backUp()).toMatchObject({ code: 2, stdout: '' });
    expect(readdirSync(dirname(fileOfHub()))).toEqual(names);
    expect(readdirSync(folder.path)).toEqual(['linked', 'other.db']);
    await hub.stop();
    expect(await contentOf(fileOfHub())).toHaveLength(3);
  });

  it('removes no hub that is called like a part of the copy', async () => {
    await hub.stop();
    const odd = join(folder.path, 'copy.db-wal');
    cpSync(fileOfHub(), odd);
    const before = readFileSync(odd);
    const { code } = await runCli(['backup', '--to', copy, '--force', `--log=sqlite:${odd}`]);
    expect(code).toBe(2);
    expect(readFileSync(odd)).toEqual(before);
  });

  it('lets nobody read more than the original, and is one plain file', async () => {
    await generate(3);

    chmodSync(fileOfHub(), 0o600);
    await done(backUp());
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    const database = openBeside(copy, { readOnly: true });
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' });
    database.close();
    expect(readdirSync(folder.path)).toEqual(['copy.db']);
  });

  it('says what to use where the data is on servers', async () => {
    const servers = ['--log=redis://127.0.0.1:1', '--store=mongodb://127.0.0.1:1/x'];
    for (const command of [
      ['backup', '--to'],
      ['restore', '--from'],
    ]) {
      const { code, stderr } = await runCli([...command, copy, ...servers]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/mongodump.*\n.*event-hub copy/);
    }
  });
});

describe('who may come in after a restore', () => {
  it('is nobody whose key was revoked since, and whoever has one that holds', async () => {
    const leaked = await createKey('leaked');
    const rotated = await createKey('rotated');
    const expired = await createKey('expired');
    const steady = await createKey('steady');
    await done(backUp());
    await keysOf('revoke', '--name=leaked');
    await keysOf('rotate', '--name=rotated', '--overlap=1h');
    await keysOf('rotate', '--name=expired', '--overlap=1ms');
    const newer = await createKey('newer');
    const before = await listKeys();
    await hub.stop();
    const { stderr } = await done(restore());
    expect(stderr).not.toContain('hold');
    expect(await listKeys()).toEqual(before);
    hub = await hubs.restart(hub);
    for (const { key } of [leaked, expired]) expect(await statusWith(key)).toBe(401);
    for (const { key } of [rotated, steady, newer]) expect(await statusWith(key)).toBe(200);
  });

  it('is nobody where the last key was revoked, also when the backup is from before the first', async () => {
    await done(backUp());
    await createKey('leaked');
    await keysOf('revoke', '--name=leaked');
    await hub.stop();
    const { stderr } = await done(restore('--yes'));
    expect(stderr).not.toContain('the hub is open');
    hub = await hubs.restart(hub);
    expect((await get(hub.url, '/events')).status).toBe(401);
    await hub.stop();
    await keysOf('reopen', '--yes');
    hub = await hubs.restart(hub);
    expect((await get(hub.url, '/events')).status).toBe(200);
  });

  it('is what the keys that ended earlier in the backup say, too', async () => {
    await createKey('leaked');
    await keysOf('revoke', '--name=leaked');
    await createKey('short', '--expires=1h');
    await done(backUp());
    const before = await listKeys();
    await hub.stop();
    inPlace('UPDATE api_keys SET revoked_at = NULL, expires_at = NULL');
    inPlace("DELETE FROM hub WHERE key = 'access_closed'");
    await done(restore());
    expect(await listKeys()).toEqual(before);
    hub = await hubs.restart(hub);
    expect((await get(hub.url, '/events')).status).toBe(401);
  });

  it('is nobody whose key ended so long ago that the hub has forgotten it', async () => {
    const { id } = await createKey('forgotten');
    await done(backUp());
    await hub.stop();
    inPlace('DELETE FROM api_keys');
    await done(restore());
    expect(await listKeys()).toMatchObject([{ id, state: 'revoked' }]);
  });

  it.each([
    ['no hub is there', () => rmSync(fileOfHub()), /^(?!.*cannot be read from)/s],
    ['another file is there', () => writeFileSync(fileOfHub(), 'precious'), /cannot be read from/],
    ['its keys are damaged', () => inPlace('DROP TABLE api_keys'), /cannot be read from/],
  ])('is told by name where %s', async (_, spoil, words) => {
    const { id } = await createKey('shop');
    await createKey('leaked');
    await keysOf('revoke', '--name=leaked');
    await done(backUp());
    await hub.stop();
    spoil();
    const { stderr } = await done(restore());
    expect(stderr).toContain(`nothing that was there tells of them: shop (${id}); end`);
    expect(stderr).not.toContain('the hub is open');
    expect(stderr).toMatch(words);
  });

  it('is told to be everybody where the backup has no key, and nothing says otherwise', async () => {
    await done(backUp());
    await hub.stop();
    rmSync(fileOfHub());
    const { stderr } = await done(restore());
    expect(stderr).toContain('no key of the copy holds\nthe hub is open, as in the copy');
  });

  it('is taken over by the copy of an older hub, and from the file of a newer one', async () => {
    await generate(3);
    await done(backUp());
    const { key } = await createKey('shop');
    const before = await listKeys();
    await hub.stop();
    makeDatabase(toVersionOne, true);
    inPlace('PRAGMA user_version = 999; ALTER TABLE api_keys ADD COLUMN later TEXT');
    await done(restore());
    expect(await listKeys()).toEqual(before);
    hub = await hubs.restart(hub);
    expect(await statusWith(key)).toBe(200);
    expect((await get(hub.url, '/events')).status).toBe(401);
  });
});

describe('event-hub restore', () => {
  it('refuses while a hub runs there, and changes nothing', async () => {
    await generate(3);
    await done(backUp());
    const refused = await restore('--yes');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('another hub runs on');
    expect(await contentOf(fileOfHub())).toHaveLength(3);
  });

  it.each([
    ['nothing', () => undefined, 'there is no '],
    ['another file', () => writeFileSync(copy, 'precious'), "cannot be read as a hub's file"],
    ['another database', () => makeDatabase(''), "is not a hub's file"],
    ['a newer hub’s', () => makeDatabase('PRAGMA user_version = 999', true), 'a newer hub'],
    ['half a copy', () => truncateSync(copy, 32_768), "cannot be read as a hub's file"],
    ['a damaged copy', () => makeDatabase(damage, true), 'the copy is damaged'],
  ])('refuses %s, and leaves what is there', async (_, spoil, words) => {
    await generate(200);
    if (words !== 'there is no ') await done(backUp());
    spoil();
    await hub.stop();
    const names = readdirSync(join(fileOfHub(), '..'));
    const { code, stderr } = await restore('--yes');
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain(words);
    expect(readdirSync(join(fileOfHub(), '..'))).toEqual(names);
    expect(await contentOf(fileOfHub())).toHaveLength(200);
  });

  it('keeps what was there aside, also what a hub that died had not written back, unless --yes', async () => {
    await generate(7);
    await done(backUp());
    await generate(5);
    // As after a crash: the newest events are in the write-ahead log alone.
    const crashed = join(folder.path, 'crashed.db');
    for (const end of ['', '-wal']) cpSync(`${fileOfHub()}${end}`, `${crashed}${end}`);
    const flags = [`--log=sqlite:${crashed}`];
    const { stderr } = await done(runCli(['restore', '--from', copy, ...flags]));
    const aside = /what was there is (\S+)/.exec(stderr)?.[1] ?? '';
    expect(await contentOf(crashed)).toHaveLength(7);
    expect(await contentOf(aside)).toHaveLength(12);
    const kept = readdirSync(folder.path).filter((name) => name.includes('.before-'));
    await done(runCli(['restore', '--from', copy, '--yes', ...flags]));
    expect(readdirSync(folder.path).filter((name) => name.includes('.before-'))).toEqual(kept);
    expect(existsSync(copy)).toBe(true);
  });
});

interface ShownKey {
  readonly id: string;
  readonly key: string;
}

const keysOf = (action: string, ...flags: readonly string[]) =>
  done(runCli(['keys', action, ...hub.place.flags, ...flags]));

async function createKey(name: string, ...flags: readonly string[]): Promise<ShownKey> {
  const wanted = [`--name=${name}`, '--scopes=events:read', '--output=json', ...flags];
  return JSON.parse((await keysOf('create', ...wanted)).stdout) as ShownKey;
}

async function listKeys(): Promise<readonly unknown[]> {
  return jsonLines(await keysOf('list', '--output=ndjson'));
}

async function statusWith(key: string): Promise<number> {
  return (await fetch(`${hub.url}/events`, { headers: { 'X-API-Key': key } })).status;
}

/** Behind the back of a hub that is stopped. */
function inPlace(sql: string): void {
  const database = openBeside(fileOfHub());
  database.exec(sql);
  database.close();
}

/** Many events at once, each of a kilobyte, so that the copy takes more than one step. */
async function fill(count: number): Promise<void> {
  const metadata = { filler: 'x'.repeat(1_000) };
  for (let sent = 0; sent < count; sent += 500) {
    const batch = Array.from({ length: 500 }, () => anInput({ metadata }));
    expect((await postEvents(hub.url, batch)).status).toBeLessThan(300);
  }
}

/** As the first hub left it. */
const toVersionOne = `
  DROP TABLE api_keys;
  DROP TABLE removed_events;
  DROP TABLE frozen_minutes;
  DROP TABLE kept_counts;
  DROP TABLE floors;
  PRAGMA user_version = 1;
`;

/** Damage that only the look at every page and index finds. */
const damage = `
  PRAGMA writable_schema = ON;
  DELETE FROM sqlite_schema WHERE name = 'events_by_type';
`;

/** Changes the copy, or puts a new database in its place. */
function makeDatabase(sql: string, inTheCopy = false): void {
  if (!inTheCopy) rmSync(copy);
  const database = openBeside(copy);
  database.enableDefensive?.(false);
  database.exec(inTheCopy ? sql : 'CREATE TABLE t (x)');
  database.close();
}

/** An event but for the identity of the log in its position. */
function withoutLog({ position, ...event }: Listed) {
  const [sequence, , fingerprint] = position.split('-');
  return { ...event, sequence, fingerprint };
}

async function done(running: Promise<CliResult>): Promise<CliResult> {
  const result = await running;
  expect(result).toMatchObject({ code: 0 });
  return result;
}
