import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { removeOldest } from '../../../src/engines/sqlite/remove-oldest.ts';
import type { NewEvent } from '../../../src/event/event.ts';
import type { EventLog, LogEntry, Position, ReadOptions } from '../../../src/log/event-log.ts';
import { openSqliteLog } from '../../../src/log/sqlite/sqlite-log.ts';
import { examineSqlite } from '../../../src/log/sqlite/sqlite-upkeep.ts';
import type { EventStore } from '../../../src/store/event-store.ts';
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { openBeside } from '../../support/open-beside.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';
import { positionOf, readAll } from '../event-log.suite.ts';

const shard = '0';
const always = Date.UTC(2100, 0, 1);

let folder: TemporaryFolder;
let file: string;
let log: EventLog;
let store: EventStore;

beforeEach(async () => {
  folder = temporaryFolder();
  file = join(folder.path, 'hub.db');
  await open();
});
afterEach(async () => {
  await close();
  folder.remove();
});

const url = () => `sqlite:${file}`;

async function open(): Promise<void> {
  log = await openSqliteLog(url(), { exclusive: true });
  store = await openSqliteStore(url(), { exclusive: true });
}

async function close(): Promise<void> {
  await Promise.all([log.close(), store.close()]);
}

async function append(events: readonly NewEvent[]): Promise<readonly Position[]> {
  const outcomes = await log.append([{ events, atomic: false }]);
  return outcomes.flat().map(positionOf);
}

async function remove(count: number): Promise<void> {
  const removal = await store.removeOldest(shard, { receivedBefore: always }, count);
  expect(removal).toMatchObject({ events: count });
}

/** As a command does it beside the running hub, which is not told. */
function removeBeside(count: number): void {
  const database = openBeside(file);
  database.exec('BEGIN IMMEDIATE');
  const removed = removeOldest(database, shard, { receivedBefore: always, upTo: Infinity }, count);
  database.exec('COMMIT');
  database.close();
  expect(removed).toMatchObject({ events: count });
}

const idsOf = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id);
const idsFrom = async (from: Position | 'start') =>
  (await readAll(log, from)).map(({ event }) => event.id);

/** Batches of a read, as they are asked for. */
function reading(options: Partial<ReadOptions>) {
  const abort = new AbortController();
  const { signal } = abort;
  const read = log.read({ from: 'start', follow: false, limit: 100, signal, ...options });
  const batches = read[Symbol.asyncIterator]();
  return {
    next: async () =>
      idsOf(((await batches.next()).value as readonly LogEntry[]).map((e) => e.event)),
    end: async () => {
      abort.abort();
      await batches.return?.();
    },
  };
}

describe.each([
  ['in this process', remove],
  ['beside it', removeBeside],
])('what retention removed of a SQLite log, %s', (_, removeOf) => {
  it('is a duplicate at its first place when it comes again, and a conflict with other content', async () => {
    const events = someEvents(4);
    const positions = await append(events);
    await removeOf(2);
    const [first, second, third] = events as [NewEvent, NewEvent, NewEvent];
    const fresh = anEvent();
    const receivedAt = first.receivedAt + 5;
    const [outcomes] = await log.append([
      {
        events: [
          first,
          { ...second, receivedAt, timestamp: receivedAt },
          { ...second, amount: 1n },
          fresh,
          third,
        ],
        atomic: false,
      },
    ]);
    expect(outcomes).toMatchObject([
      { status: 'duplicate', position: positions[0] },
      { status: 'duplicate', position: positions[1] },
      { status: 'conflict' },
      { status: 'accepted' },
      { status: 'duplicate', position: positions[2] },
    ]);
    expect(await idsFrom('start')).toEqual([...idsOf(events.slice(2)), fresh.id]);
  });

  it('keeps an atomic group out with which it is in conflict, and lets one in that repeats it', async () => {
    const events = someEvents(3);
    const [position] = await append(events);
    await removeOf(2);
    const [first] = events as [NewEvent];
    const [other, fresh] = someEvents(2) as [NewEvent, NewEvent];
    const outcomes = await log.append([
      { events: [other, { ...first, amount: 1n }, first], atomic: true },
      { events: [fresh, first], atomic: true },
    ]);
    expect(outcomes).toMatchObject([
      [{ status: 'not_stored' }, { status: 'conflict' }, { status: 'not_stored' }],
      [{ status: 'accepted' }, { status: 'duplicate', position }],
    ]);
    expect(await idsFrom('start')).toEqual([...idsOf(events.slice(2)), fresh.id]);
    expect(await store.verify()).toEqual([]);
  });

  it('is not in the history, which is read on from the floor and every place behind it', async () => {
    const events = someEvents(1_200);
    const positions = await append(events);
    await removeOf(700);
    expect(await idsFrom('start')).toEqual(idsOf(events.slice(700)));
    for (const index of [699, 700, 1_000, 1_198]) {
      expect(await idsFrom(positions[index] as Position)).toEqual(idsOf(events.slice(index + 1)));
    }
    expect(await idsFrom(positions[1_199] as Position)).toEqual([]);
    expect(await log.trimmedTo(shard)).toBe(positions[699]);
  });

  it('is gone for a reader that stands before the floor, which is named', async () => {
    const positions = await append(someEvents(6));
    await removeOf(4);
    const floor = positions[3] as Position;
    for (const position of positions.slice(0, 3)) {
      await expect(idsFrom(position)).rejects.toMatchObject({
        code: 'position_gone',
        position: floor,
        message: expect.stringContaining(floor),
      });
    }
    const forged = floor.replace(/.{8}$/, '00000000') as Position;
    await expect(idsFrom(forged)).rejects.toMatchObject({
      code: 'position_gone',
      position: 'start',
    });
  });

  it('is told to a reader that it overtakes, instead of being skipped', async () => {
    const events = someEvents(30);
    const positions = await append(events);
    for (const follow of [false, true]) {
      const slow = reading({ limit: 5, follow });
      const [first = ''] = await slow.next();
      const at = events.findIndex(({ id }) => id === first) + 5;
      await removeOf(10);
      await expect(slow.next()).rejects.toMatchObject({
        code: 'position_gone',
        position: positions[at + 4],
      });
    }
  });

  it('does not disturb a reader that is ahead of it: nothing is missing and nothing twice', async () => {
    const events = someEvents(40);
    await append(events.slice(0, 20));
    const live = reading({ follow: true, limit: 8 });
    const seen: string[] = [];
    while (seen.length < 20) seen.push(...(await live.next()));
    await removeOf(15);
    await append(events.slice(20));
    while (seen.length < 40) seen.push(...(await live.next()));
    expect(seen).toEqual(idsOf(events));
    await live.end();
  });

  it('is not given out from the memory of the newest entries either', async () => {
    const follower = reading({ from: 'end', follow: true });
    const seen = follower.next();
    const events = someEvents(20);
    const positions = await append(events);
    await seen;
    await removeOf(12);
    expect(await idsFrom('start')).toEqual(idsOf(events.slice(12)));
    await expect(idsFrom(positions[5] as Position)).rejects.toMatchObject({
      code: 'position_gone',
      position: positions[11],
    });
    await follower.end();
  });

  it('keeps its places: none is used again, and the log is counted as before', async () => {
    const positions = await append(someEvents(5));
    await removeOf(4);
    await close();
    await open();
    expect(await log.end()).toBe(positions[4]);
    expect(await idsFrom('start')).toHaveLength(1);
    const [next] = await append(someEvents(1));
    expect(log.countAt(next as Position)).toBe(6);
    const { asOf } = await store.aggregate({ from: 0, to: 1, filter: {} });
    expect(asOf?.position).toBe(next);
    await removeOf(1);
    expect(await log.trimmedTo(shard)).toBe(positions[4]);
  });
});

describe('a SQLite log whose beginning is removed', () => {
  it('is read in parts that are as long as before, across what is in memory and in the file', async () => {
    const events = someEvents(limits.tailEntries + 500);
    const follower = reading({ from: 'end', follow: true, limit: 10_000 });
    const first = follower.next();
    for (let at = 0; at < events.length; at += 1_000) await append(events.slice(at, at + 1_000));
    await first;
    await remove(300);
    removeBeside(100);
    const parts = reading({ limit: 999 });
    const seen: string[] = [];
    while (seen.length < events.length - 400) seen.push(...(await parts.next()));
    expect(seen).toEqual(idsOf(events.slice(400)));
    await follower.end();
  });

  it('knows nothing of removed events before the first is removed, and from that commit on', async () => {
    const events = someEvents(3);
    await append(events);
    const again = async () =>
      (await log.append([{ events: [{ ...(events[0] as NewEvent), amount: 1n }], atomic: false }]))
        .flat()
        .map(({ status }) => status);
    expect(await again()).toEqual(['conflict']);
    removeBeside(1);
    expect(await again()).toEqual(['conflict']);
    expect(await idsFrom('start')).toEqual(idsOf(events.slice(1)));
  });

  it('leaves room in the file, which is said and used again', async () => {
    const filler = () => someEvents(2_500, { metadata: `{"filler":"${'x'.repeat(1_000)}"}` });
    await append(filler());
    await remove(2_400);
    const size = await store.sizeBytes();
    const file = examineSqlite(url()).find(({ name }) => name === 'file');
    expect(file?.detail).toMatch(
      /100 events, 2400 more removed by retention, \d+ MiB \([2-9] of them free for new events\)/,
    );
    await append(filler().slice(0, 1_000));
    await close();
    await open();
    expect(await store.sizeBytes()).toBeLessThan(size);
  });

  it('may be that of an older hub’s file, once this hub was started on it', async () => {
    const events = someEvents(4);
    await append(events);
    await close();
    const older = openBeside(file);
    older.exec(`
      DROP TABLE removed_events; DROP TABLE frozen_minutes; DROP TABLE kept_counts; DROP TABLE floors;
      PRAGMA user_version = 2`);
    older.close();
    await open();
    expect(await idsFrom('start')).toEqual(idsOf(events));
    expect(await store.verify()).toEqual([]);
    await remove(3);
    expect(await idsFrom('start')).toEqual(idsOf(events.slice(3)));
    expect(await store.verify()).toEqual([]);
  });
});
