import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LogEntry } from '../../../src/log/event-log.ts';
import type { EventStore } from '../../../src/store/event-store.ts';
import { openMongoStore } from '../../../src/store/mongo/mongo-store.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { type MongoServer, startMongoServer } from '../../support/engines/mongo-server.ts';
import { describeWithOwnEngines } from '../../support/needed-program.ts';
import { logEntries, withStore } from './mongo-stores.ts';

const noon = Date.UTC(2026, 5, 30, 12, 0, 0);
const batch = 40;
const kills = 5;

describeWithOwnEngines('a MongoDB that dies', ['mongo'], () => {
  let mongo: MongoServer;

  beforeAll(async () => {
    mongo = await startMongoServer();
  });

  afterAll(() => mongo.remove());

  it('in the middle of records loses nothing and doubles nothing', async () => {
    const events = Array.from({ length: 2_000 }, (_, index) =>
      // Every tenth is one that came before.
      anEvent({
        id: `e${index % 10 === 9 ? index - 5 : index}`,
        amount: 7n,
        timestamp: noon + (index % 300) * 1_000,
      }),
    );
    const entries = logEntries(events);
    await withStore(mongo.urlOf('killed'), async (store) => {
      for (let kill = 1; kill <= kills; kill += 1) {
        const until = Math.floor((entries.length * kill) / (kills + 1));
        await readOn(store, entries.slice(0, until));
        const reading = readOn(store, entries);
        for (let turn = randomInt(40); turn > 0; turn -= 1) await store.positions();
        await mongo.kill();
        await mongo.start();
        if (kill === kills) await reading;
        else reading.catch(() => undefined);
      }
      await readOn(store, entries);
      const { buckets } = await store.aggregate({ from: 0, to: noon * 2, filter: {} });
      expect(buckets).toMatchObject([{ eventCount: 1_800, total: 1_800n * 7n }]);
      expect(await store.verify()).toEqual([]);
      const stored = await store.getMany(events.map(({ id }) => id));
      expect(stored.size).toBe(1_800);
    });
  }, 180_000);

  it('in the middle of removals leaves each event there or removed, and all counted', async () => {
    const entries = logEntries(
      Array.from({ length: 1_200 }, (_, index) =>
        anEvent({ amount: 7n, timestamp: noon + index * 1_000, receivedAt: noon + index * 1_000 }),
      ),
    );
    const ids = entries.map(({ event }) => event.id);
    const window = { from: noon, to: noon + 20 * 60_000, filter: {} };
    await withStore(mongo.urlOf('removing'), async (store) => {
      await readOn(store, entries);
      for (let kill = 1; kill <= kills; kill += 1) {
        const until = Math.floor((entries.length * kill) / (kills + 1));
        const removing = removeUpTo(store, until);
        for (let turn = randomInt(40); turn > 0; turn -= 1) await store.positions();
        await mongo.kill();
        await mongo.start();
        await removing;
        // The removal may have been over before the death, and then has not waited for the return.
        await untilBack(store);
        const { removedEvents, floors } = await store.retained();
        expect(removedEvents).toBe(until);
        expect(floors.get('0')).toBe(entries[until - 1]?.position);
        const left = await store.entriesAfter('0', 'start', 2_000);
        expect(left.map(({ event }) => event.id)).toEqual(ids.slice(until));
        expect((await store.getMany(ids)).size).toBe(ids.length);
        expect((await store.aggregate(window)).buckets).toMatchObject([
          { eventCount: 1_200, total: 1_200n * 7n },
        ]);
        expect(await store.verify()).toEqual([]);
      }
    });
  }, 180_000);

  it('is away for every call at once, and back without anybody’s doing', async () => {
    const store = await openMongoStore(mongo.urlOf('away'), { exclusive: true });
    const entries = logEntries(someEvents(3));
    await store.record('0', entries.slice(0, 2));
    await mongo.kill();
    await expect.poll(() => codeOf(store.check())).toBe('unavailable');
    const calls = [
      store.getMany(['x']),
      store.record('0', entries),
      store.find({ filter: {}, order: 'asc', limit: 1 }),
      store.acquireLease('archive', 'one', 1_000),
      store.verify(),
    ];
    const unavailable = { code: 'unavailable', retryAfterS: 2 };
    await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject(unavailable)));
    await mongo.start();
    await untilBack(store);
    expect(await store.record('0', entries)).toMatchObject({ added: 1 });
    await store.close();
    await store.close();
  });

  it('does not keep a hub from starting', async () => {
    await mongo.kill();
    const store = await openMongoStore(mongo.urlOf('late'), { exclusive: true });
    await expect(store.agreement()).rejects.toMatchObject({ code: 'unavailable' });
    await mongo.start();
    const entries = logEntries(someEvents(2));
    await expect.poll(() => codeOf(store.record('0', entries))).toBeUndefined();
    expect((await store.positions()).get('0')).toBe(entries[1]?.position);
    await store.close();
  });

  it('is noticed when it is only silent', async () => {
    await withStore(mongo.urlOf('silent'), async (store) => {
      const entries = logEntries(someEvents(1));
      mongo.pause();
      await expect(store.record('0', entries)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(store.getMany(['x'])).rejects.toMatchObject({ code: 'unavailable' });
      mongo.resume();
      await expect.poll(() => codeOf(store.record('0', entries))).toBeUndefined();
      expect(await store.verify()).toEqual([]);
      expect((await store.aggregate({ from: 0, to: noon * 2, filter: {} })).buckets).toMatchObject([
        { eventCount: 1 },
      ]);
    });
  });

  it('rejects who waits for a position', async () => {
    await withStore(mongo.urlOf('waiting'), async (store) => {
      const [entry] = logEntries(someEvents(1)) as [LogEntry];
      const waiting = store.reached(
        new Map([[entry.shard, entry.position]]),
        new AbortController().signal,
      );
      const rejected = expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
      await mongo.kill();
      await rejected;
      await mongo.start();
    });
  });
});

/** As the archive reader does it: from where the store stands, again and again. */
async function readOn(store: EventStore, entries: readonly LogEntry[]): Promise<void> {
  const last = entries.at(-1)?.position ?? '';
  for (;;) {
    try {
      const reached = (await store.positions()).get('0') ?? '';
      if (reached >= last) return;
      const next = entries.filter(({ position }) => position > reached).slice(0, batch);
      await store.record('0', next);
    } catch (reason) {
      expect(reason).toMatchObject({ code: 'unavailable' });
      await untilBack(store);
    }
  }
}

/** The oldest so many altogether, a few at a time, again and again. */
async function removeUpTo(store: EventStore, count: number): Promise<void> {
  const cut = { receivedBefore: noon + count * 1_000 };
  for (;;) {
    try {
      if ((await store.removeOldest('0', cut, 15)) === undefined) return;
    } catch (reason) {
      expect(reason).toMatchObject({ code: 'unavailable' });
      await untilBack(store);
    }
  }
}

async function untilBack(store: EventStore): Promise<void> {
  await expect.poll(() => codeOf(store.check())).toBeUndefined();
}

/** Undefined when it resolves. */
async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return await promise.then(
    () => undefined,
    (reason: { code: string }) => reason.code,
  );
}
