import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { type HubPlace, HubProcess, placeHub, runProgram } from './rig/hub-process.ts';

let folder: TemporaryFolder;
let place: HubPlace;
const started: HubProcess[] = [];

beforeEach(async () => {
  folder = temporaryFolder();
  place = await placeHub(folder.path);
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((hub) => hub.kill()));
  folder.remove();
});

async function start(at: HubPlace): Promise<HubProcess> {
  const hub = new HubProcess(at);
  started.push(hub);
  await hub.ready;
  return hub;
}

/** The one line that a hub ends with when it cannot start. */
async function refusalOf(at: HubPlace): Promise<string> {
  const { code, stderr, stdout } = await runProgram(['serve'], at);
  expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
  const lines = stderr.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
}

/** Another hub's ports, the same file. */
async function besides({ file }: HubPlace): Promise<HubPlace> {
  return await placeHub(folder.path, { EVENT_HUB_LOG: `sqlite:${file}` });
}

function openFiles(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(join(folder, name))];
    } catch {
      // It was closed meanwhile.
      return [];
    }
  });
}

describe('a second hub on one file', () => {
  it('is refused while the first runs, and takes over as soon as that is killed', async () => {
    const first = await start(place);
    expect((await postEvents(place.url, anInput({ id: 'first' }))).status).toBe(201);
    const other = await besides(place);
    const line = await refusalOf(other);
    expect(line).toContain(`another hub runs on ${place.file}`);
    expect(line).toContain('EVENT_HUB_LOG');
    expect((await postEvents(place.url, anInput({ id: 'second' }))).status).toBe(201);
    await first.kill();
    await start(other);
    const { json } = await get(other.url, '/events?order=asc');
    expect(json.events.map(({ id }: { id: string }) => id)).toEqual(['first', 'second']);
  });
});

describe('a file that is not for this hub', () => {
  const files: Readonly<Record<string, (file: string) => RegExp>> = {
    'a newer version': (file) => {
      const database = new DatabaseSync(file);
      database.exec('PRAGMA user_version = 99');
      database.close();
      return /is from a newer hub/;
    },
    'another program’s SQLite file': (file) => {
      const database = new DatabaseSync(`${file}.new`);
      database.exec(
        'PRAGMA journal_mode = WAL; CREATE TABLE orders (id); INSERT INTO orders VALUES (1)',
      );
      database.close();
      writeFileSync(file, readFileSync(`${file}.new`));
      return /is not a hub's file/;
    },
    'no SQLite file': (file) => {
      writeFileSync(file, 'the dissertation\n'.repeat(1_000));
      return /cannot be read as a hub's file/;
    },
    'a damaged header': (file) => {
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.fill(0xff, 0, 100));
      return /cannot be read as a hub's file/;
    },
  };

  it.each(Object.entries(files))('(%s) is refused and not changed by a byte', async (_, spoil) => {
    await (await start(place)).kill('SIGTERM');
    const reason = spoil(place.file);
    const before = readFileSync(place.file);
    expect(await refusalOf(place)).toMatch(reason);
    expect(readFileSync(place.file).equals(before)).toBe(true);
    expect(readdirSync(folder.path).filter((name) => /db-(wal|shm|journal)$/.test(name))).toEqual(
      [],
    );
  });

  it('is taken when it is empty', async () => {
    writeFileSync(place.file, '');
    await start(place);
    expect((await postEvents(place.url, anInput())).status).toBe(201);
  });
});

describe('a file that another connection holds', () => {
  let holder: DatabaseSync;
  /** Each as another program does it. */
  const ways: Readonly<Record<string, string>> = {
    'as one does that recovers it':
      'PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE held (x); DROP TABLE held',
    'with nothing in its write-ahead log':
      'PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE held (x); DROP TABLE held; PRAGMA wal_checkpoint(TRUNCATE)',
    'with a transaction that writes': 'BEGIN IMMEDIATE; CREATE TABLE held (x)',
    'in a rollback journal': 'PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE',
  };
  const hold = async (way: string) => {
    await (await start(place)).kill('SIGTERM');
    holder = new DatabaseSync(place.file);
    holder.exec(way);
  };
  afterEach(() => {
    if (holder.isOpen) holder.close();
  });

  it.each(Object.entries(ways))('(%s) is waited for', async (_, way) => {
    await hold(way);
    const hub = new HubProcess(place);
    started.push(hub);
    await expect.poll(() => openFiles(hub.pid)).toContain(place.file);
    holder.close();
    await hub.ready;
  });

  it.each(Object.entries(ways))(
    '(%s) is refused as locked, and not as one that is no hub’s, when that does not end',
    async (_, way) => {
      await hold(way);
      const line = await refusalOf(place);
      expect(line).toContain(`${place.file} is locked by another program`);
    },
  );
});

describe('a place that cannot be written', () => {
  it('is refused when a file stands where the folder should be', async () => {
    const data = join(folder.path, 'data');
    writeFileSync(data, 'a file');
    const env = { ...place.env, EVENT_HUB_LOG: `sqlite:${join(data, 'event-hub.db')}` };
    const line = await refusalOf({ ...place, env });
    expect(line).toContain(`${join(data, 'event-hub.db')} cannot be written`);
    expect(line).toContain('EVENT_HUB_LOG');
  });

  it('is refused when a folder stands where the file should be', async () => {
    mkdirSync(place.file);
    expect(await refusalOf(place)).toContain(place.file);
  });
});

describe('a port that is taken', () => {
  let taker: Server;
  afterEach(() => taker.close());

  it.each(['HTTP', 'GRPC'])('(%s) is refused, naming the setting', async (name) => {
    const variable = `EVENT_HUB_${name}_PORT`;
    taker = createServer();
    await new Promise<void>((resolve) => {
      taker.listen({ host: '127.0.0.1', port: Number(place.env[variable]) }, resolve);
    });
    const line = await refusalOf(place);
    expect(line).toContain(variable);
    expect(line).toContain('is taken');
  });
});

describe('event types that are not those of the store', () => {
  it('are refused, naming both, until they are adopted', async () => {
    const hub = await start(place);
    expect((await postEvents(place.url, anInput())).status).toBe(201);
    await hub.kill('SIGTERM');
    const changed = { ...place, env: { ...place.env, EVENT_HUB_EVENT_TYPES: 'purchase:+,gift' } };
    const line = await refusalOf(changed);
    expect(line).toContain('"purchase:+,gift"');
    expect(line).toContain('"purchase:+,return:-,refund:-"');
    expect(line).toContain('event-hub config adopt');
    expect(await runProgram(['config', 'adopt'], changed)).toMatchObject({ code: 0 });
    await start(changed);
    expect((await postEvents(place.url, anInput({ event_type: 'gift' }))).status).toBe(201);
    const { json } = await get(place.url, '/aggregates');
    expect(json).toMatchObject({ event_count: 2, total_amount: '20', net_amount: '10' });
  });
});
