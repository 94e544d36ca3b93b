import fc from 'fast-check';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Event, hasSameContent } from '../../../src/event/event.ts';
import type { LogEntry } from '../../../src/log/event-log.ts';
import type { EventStore, Lease } from '../../../src/store/event-store.ts';
import { openMongoStore } from '../../../src/store/mongo/mongo-store.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { sharedMongo } from '../../support/engines/shared-engines.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { logEntries } from './mongo-stores.ts';

const noon = Date.UTC(2026, 5, 30, 12, 0, 0);

/** Few ids, so that duplicates and conflicts are common. */
const eventArbitrary = fc.record({
  id: fc.integer({ min: 1, max: 9 }),
  amount: fc.constantFrom(0n, 1n, 999_999_999_999_999_999n),
  eventType: fc.constantFrom('purchase', 'refund'),
  minute: fc.integer({ min: 0, max: 3 }),
});

/** One of two readers records so many entries. */
const stretchArbitrary = fc.record({
  length: fc.integer({ min: 1, max: 12 }),
  reader: fc.integer({ min: 0, max: 1 }),
});

describeWithEngines('readers at once on one MongoDB', ['mongo'], () => {
  let url: string;
  let stores: readonly [EventStore, EventStore];
  let runs = 0;

  beforeAll(async () => {
    url = await sharedMongo();
    stores = [
      await openMongoStore(url, { exclusive: true }),
      await openMongoStore(url, { exclusive: true }),
    ];
  });

  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
  });

  it('record whatever they record as one reader would', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(eventArbitrary, { minLength: 1, maxLength: 30 }),
        fc.array(stretchArbitrary, { maxLength: 6 }),
        async (drafts, stretches) => {
          runs += 1;
          const run = `run-${runs}`;
          const entries = logEntries(
            drafts.map(({ id, amount, eventType, minute }) =>
              anEvent({
                id: `${run}-${id}`,
                userId: run,
                amount,
                eventType,
                timestamp: noon + minute * 60_000 + 17,
              }),
            ),
          ).map((entry) => ({ ...entry, shard: run }));
          // A reader never leaves a gap, and begins where the log does when it does not know better.
          await Promise.all(
            stretches.map(({ reader, length }) =>
              stores[reader as 0 | 1].record(run, entries.slice(0, length)),
            ),
          );
          await Promise.all(stores.map((store) => store.record(run, entries)));
          await expectModel(stores[0], run, entries);
        },
      ),
      { numRuns: 30 },
    );
    expect(await stores[1].verify()).toEqual([]);
    expect(await stores[1].rebuild()).toBe(0);
  });

  it('add up a batch once, however many record it', async () => {
    const entries = logEntries(
      someEvents(2_000, { userId: 'same', amount: 999_999_999_999_999_999n, timestamp: noon }),
      1_000_000,
      'once',
    );
    const recorded = await Promise.all(
      [0, 1, 0, 1].map((reader) => stores[reader as 0 | 1].record('once', entries)),
    );
    expect(recorded.reduce((sum, { added }) => sum + added, 0)).toBe(2_000);
    const filter = { userIds: ['same'] };
    const { buckets } = await stores[0].aggregate({ from: 0, to: noon * 2, filter });
    expect(buckets).toMatchObject([
      { eventCount: 2_000, total: 2_000n * 999_999_999_999_999_999n },
    ]);
  });

  it('take a batch that is too long for one transaction', async () => {
    const metadata = JSON.stringify({ text: 'x'.repeat(16_000) });
    const entries = logEntries(someEvents(700, { userId: 'long', metadata }), 2_000_000, 'long');
    expect(await stores[0].record('long', entries)).toMatchObject({ added: 700 });
    expect((await stores[1].positions()).get('long')).toBe(entries.at(-1)?.position);
    expect(await stores[1].record('long', entries)).toMatchObject({ added: 0, duplicates: 0 });
  });

  it('meet a rebuild that runs beside them, and counts stay right', async () => {
    const entries = logEntries(someEvents(1_500, { timestamp: noon }), 3_000_000, 'beside');
    const recording = (async () => {
      for (let at = 0; at < entries.length; at += 100) {
        await stores[0].record('beside', entries.slice(at, at + 100));
      }
    })();
    while (!(await isSettled(recording))) await stores[1].rebuild();
    await recording;
    expect(await stores[1].verify()).toEqual([]);
  });

  it('may be closed in the middle, and leave all of a batch or nothing', async () => {
    const store = await openMongoStore(url, { exclusive: true });
    const entries = logEntries(someEvents(3_000, { userId: 'closed' }), 3_500_000, 'closed');
    const recording = store.record('closed', entries).then(
      () => 'done',
      (reason: { code: string }) => reason.code,
    );
    await stores[0].positions();
    await store.close();
    const outcome = await recording;
    expect(['done', 'unavailable']).toContain(outcome);
    const { added } = await stores[0].record('closed', entries);
    expect([0, 3_000]).toContain(added);
    const filter = { userIds: ['closed'] };
    const { buckets } = await stores[0].aggregate({ from: 0, to: noon * 2, filter });
    expect(buckets).toMatchObject([{ eventCount: 3_000 }]);
  });

  it('are not kept waiting by what a dead one left open', async () => {
    const lease = (await stores[0].acquireLease('archive', 'dead', 60_000)) as Lease;
    const client = new MongoClient(url);
    const session = client.startSession();
    try {
      const database = client.db();
      // The dead one: its lease has run out, its transaction is still there.
      const dead = { expires_at: new Date(0), session: session.id?.id };
      await database.collection('leases').updateOne({ holder: 'dead' }, { $set: dead });
      const entries = logEntries([anEvent()], 4_000_000, 'dead');
      session.startTransaction();
      const written = { $inc: { transactions: 1 } };
      await database.collection('leases').updateOne({ holder: 'dead' }, written, { session });
      await database
        .collection<{ _id: string }>('events')
        .insertOne({ _id: entries[0]?.event.id ?? '' }, { session });

      const taken = (await stores[1].acquireLease('archive', 'next', 60_000)) as Lease;
      expect(taken.epoch).toBeGreaterThan(lease.epoch);
      expect(await stores[1].record('dead', entries, { lease: taken })).toMatchObject({ added: 1 });
      await expect(session.commitTransaction()).rejects.toMatchObject({
        codeName: 'NoSuchTransaction',
      });
      const rest = logEntries([anEvent()], 4_000_001, 'dead');
      await expect(stores[0].record('dead', rest, { lease })).rejects.toMatchObject({
        code: 'conflict',
      });
    } finally {
      await session.endSession();
      await client.close();
    }
  });

  it('are not kept waiting either when its lease runs out while they ask for it', async () => {
    const client = new MongoClient(url);
    const leases = client.db().collection<{ _id: string }>('leases');
    try {
      for (let round = 0; round < 12; round += 1) {
        const _id = `archive:dead-${round}`;
        const session = client.startSession();
        // Asked for without a pause, so that it runs out at any moment of the asking.
        const dead = { holder: 'dead', epoch: 1, expires_at: new Date(Date.now() + 30) };
        await leases.insertOne({ _id, ...dead, session: session.id?.id } as { _id: string });
        session.startTransaction();
        await leases.updateOne({ _id }, { $inc: { transactions: 1 } }, { session });
        let taken: Lease | undefined;
        while (taken === undefined) taken = await stores[1].acquireLease(_id, 'next', 60_000);
        expect(taken.epoch).toBe(2);
        await expect(session.commitTransaction()).rejects.toMatchObject({
          codeName: 'NoSuchTransaction',
        });
        await session.endSession();
      }
    } finally {
      await client.close();
    }
  });
});

/** What one shard should hold, in the plainest way. */
async function expectModel(
  store: EventStore,
  run: string,
  entries: readonly LogEntry[],
): Promise<void> {
  const kept = new Map<string, Event>();
  const conflicts: LogEntry[] = [];
  for (const entry of entries) {
    const first = kept.get(entry.event.id);
    if (first === undefined) kept.set(entry.event.id, entry.event);
    else if (!hasSameContent(first, entry.event)) conflicts.push(entry);
  }
  expect((await store.positions()).get(run)).toBe(entries.at(-1)?.position);
  const { buckets } = await store.aggregate({ from: 0, to: noon * 2, filter: { userIds: [run] } });
  const events = [...kept.values()];
  expect(buckets.reduce((sum, { eventCount }) => sum + eventCount, 0)).toBe(events.length);
  expect(buckets.reduce((sum, { total }) => sum + total, 0n)).toBe(
    events.reduce((sum, { amount }) => sum + amount, 0n),
  );
  const stored = await store.getMany(entries.map(({ event }) => event.id));
  expect(new Set(stored.keys())).toEqual(new Set(kept.keys()));
  for (const [id, { event }] of stored) {
    expect(event).toMatchObject({ amount: kept.get(id)?.amount });
  }
  const found = await store.conflicts(Number.MAX_SAFE_INTEGER);
  expect(found.filter(({ shard }) => shard === run).map(({ position }) => position)).toEqual(
    conflicts.map(({ position }) => position),
  );
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}
