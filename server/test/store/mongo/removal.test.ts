import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Event } from '../../../src/event/event.ts';
import { minuteMs, minuteOf } from '../../../src/event/minute.ts';
import { removedEventOf } from '../../../src/event/removed-event.ts';
import type { Position } from '../../../src/log/event-log.ts';
import type { EventStore, Lease, Removal } from '../../../src/store/event-store.ts';
import { openMongoStore } from '../../../src/store/mongo/mongo-store.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { sharedMongo } from '../../support/engines/shared-engines.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { logEntries } from './mongo-stores.ts';

const noon = Date.UTC(2026, 5, 30, 12, 0, 0);
const shard = '0';
/** Of MongoDB, for a text that is to be counted up. */
const typeMismatch = 14;
/** All but the newest. */
const all = { receivedBefore: Number.MAX_SAFE_INTEGER };

describeWithEngines('removing from a MongoDB that several use', ['mongo'], () => {
  let url: string;
  let client: MongoClient;
  let stores: readonly [EventStore, EventStore, EventStore];

  beforeEach(async () => {
    url = await sharedMongo();
    client = new MongoClient(url);
    stores = [
      await openMongoStore(url, { exclusive: true }),
      await openMongoStore(url, { exclusive: true }),
      await openMongoStore(url, { exclusive: true }),
    ];
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await client.db().dropDatabase();
    await client.close();
  });

  const totals = async (store: EventStore) => {
    const { buckets } = await store.aggregate({ from: 0, to: noon + 1_000 * minuteMs, filter: {} });
    return [
      buckets.reduce((sum, { eventCount }) => sum + eventCount, 0),
      buckets.reduce((sum, { total }) => sum + total, 0n),
    ];
  };
  const left = async (store: EventStore) =>
    (await store.entriesAfter(shard, 'start', 10_000)).map(({ event }) => event.id);

  it('removes each event once, however many remove at the same time', async () => {
    const entries = logEntries(perMinute(600));
    await stores[0].record(shard, entries);
    const removed = await Promise.all(stores.map((store) => removeAll(store, 25)));
    const removals = removed.flat();
    expect(removals.reduce((sum, { events }) => sum + events, 0)).toBe(599);
    expect(removals.reduce((sum, { minutes }) => sum + minutes, 0)).toBe(60);
    expect(new Set(removals.map(({ floor }) => floor)).size).toBe(removals.length);
    expect(await stores[0].retained()).toEqual({
      floors: new Map([[shard, entries[598]?.position]]),
      removedEvents: 599,
      frozenMinutes: 60,
    });
    expect(await left(stores[1])).toEqual([entries[599]?.event.id]);
    expect(await totals(stores[2])).toEqual([600, 6_000n]);
  });

  it('beside records, repeats and rebuilds leaves every count as it was', async () => {
    // Every fourth is a repeat, most of them of one that was removed by then.
    const firsts = perMinute(1_200);
    const events = firsts.flatMap((event, index) =>
      index % 3 === 2 ? [event, firsts[index >> 1] as Event] : [event],
    );
    const entries = logEntries(events);
    let repeats = 0;
    for (let at = 0; at < entries.length; at += 40) {
      const [recorded, removed, rebuilt] = await Promise.all([
        stores[0].record(shard, entries.slice(at, at + 40)),
        stores[1].removeOldest(shard, all, 30),
        stores[2].rebuild(),
      ]);
      repeats += recorded.duplicates;
      expect(removed?.events ?? 0).toBeLessThanOrEqual(30);
      expect(rebuilt).toBe(0);
    }
    expect(repeats).toBe(400);
    expect(await totals(stores[0])).toEqual([1_200, 12_000n]);
    expect(await stores[1].verify()).toEqual([]);
    expect(await stores[2].rebuild()).toBe(0);
    const { removedEvents } = await stores[0].retained();
    expect(removedEvents).toBeGreaterThan(1_000);
    expect(removedEvents + (await left(stores[1])).length).toBe(1_200);
    const known = await stores[0].getMany(firsts.map(({ id }) => id));
    expect(known.size).toBe(1_200);
  });

  it('of another hub, taken over beside the first entries of a shard, knows each id in one way', async () => {
    const places = {
      events: client.db().collection('events'),
      removed: client.db().collection('removed_events'),
    };
    for (let round = 0; round < 40; round += 1) {
      const name = `new ${round}`;
      const entries = logEntries(perMinute(20)).map((entry) => ({ ...entry, shard: name }));
      const records = entries.map(({ event, position }) => ({
        ...removedEventOf(event),
        shard: 'elsewhere',
        position,
      }));
      const [recorded, known] = await Promise.all([
        stores[0].record(name, entries),
        stores[1].keepRemoved(records),
      ]);
      expect(recorded.added + recorded.duplicates).toBe(20);
      expect(known.size).toBe(recorded.added);
    }
    const kept = new Set((await places.removed.find().toArray()).map(({ _id }) => String(_id)));
    const stored = (await places.events.find().toArray()).map(({ _id }) => String(_id));
    expect(stored.filter((id) => kept.has(id))).toEqual([]);
    expect(stored.length + kept.size).toBe(800);
  });

  it('knows an event at every moment of its removal', async () => {
    const entries = logEntries(perMinute(1_000));
    await stores[0].record(shard, entries);
    const ids = entries.map(({ event }) => event.id);
    const removing = removeAll(stores[1], 20);
    const isOver = trackOf(removing);
    while (!isOver()) expect((await stores[0].getMany(ids)).size).toBe(ids.length);
    await removing;
  });

  it('gives whoever reads on all that is behind the floor, or the floor', async () => {
    const entries = logEntries(perMinute(2_000));
    await stores[0].record(shard, entries);
    const ids = entries.map(({ event }) => event.id);
    const removing = removeAll(stores[1], 20);
    const isOver = trackOf(removing);
    const readAgain = async (store: EventStore, limit: number) => {
      for (let after: Position | 'start' = 'start'; !isOver(); ) {
        try {
          const page = await store.entriesAfter(shard, after, limit);
          const [first] = page;
          const from = first === undefined ? 0 : ids.indexOf(first.event.id);
          expect(page.map(({ event }) => event.id)).toEqual(ids.slice(from, from + page.length));
          const isNext = after === 'start' || entries[from - 1]?.position === after;
          expect(isNext || page.length === 0).toBe(true);
          after = entries[from + 5]?.position ?? 'start';
        } catch (reason) {
          expect(reason).toMatchObject({ code: 'position_gone' });
          after = (reason as { position: Position }).position;
          expect(entries.map(({ position }) => position)).toContain(after);
        }
      }
    };
    // Pages that MongoDB gives at once, and those that it gives in several parts.
    const reads = [1, 50, 1_000].map((limit) => readAgain(stores[0], limit));
    await Promise.all([removing, ...reads]);
  });

  it('removes long events in several steps, none of them too long for a transaction', async () => {
    const metadata = JSON.stringify({ text: 'x'.repeat(16_000) });
    await stores[0].record(shard, logEntries(someEvents(700, { metadata })));
    const removals = await removeAll(stores[0], 10_000);
    expect(removals.length).toBeGreaterThan(1);
    expect(removals.reduce((sum, { events }) => sum + events, 0)).toBe(699);
  });

  it('previews many pages as it removes them', async () => {
    const perPage = 10_000;
    const count = 2 * perPage + 5;
    await stores[0].record(shard, logEntries(perMinute(count)));
    const preview = await stores[1].previewRemoval(shard, all);
    expect(preview).toMatchObject({ events: count - 1, minutes: Math.ceil(count / 10) });
    const removals = await removeAll(stores[0], 10_000);
    expect(removals.reduce((sum, { events }) => sum + events, 0)).toBe(preview?.events);
    expect(removals.reduce((sum, { minutes }) => sum + minutes, 0)).toBe(preview?.minutes);
    expect(removals.at(-1)?.floor).toBe(preview?.floor);
  });

  it('goes on in a log that took the place of another one, whatever its positions', async () => {
    const old = logEntries(perMinute(30), 1_000);
    await stores[0].record(shard, old);
    await removeAll(stores[0], 100);
    await stores[0].resetPosition(shard, undefined);
    const events = logEntries(perMinute(20), 1);
    await stores[0].record(shard, events);
    expect(await stores[0].previewRemoval(shard, all)).toMatchObject({ events: 20 });
    expect(await removeAll(stores[1], 8)).toMatchObject([
      { events: 8 },
      { events: 8 },
      { events: 4 },
    ]);
    expect(await left(stores[0])).toEqual([old[29]?.event.id]);
    // Never back: behind it are events that are not there any more.
    const { floors, removedEvents } = await stores[0].retained();
    expect(floors.get(shard)).toBe(old[28]?.position);
    expect(removedEvents).toBe(49);
    const more = logEntries(perMinute(10), 2_000);
    await stores[0].record(shard, more);
    expect(await removeAll(stores[1], 100)).toMatchObject([{ events: 10 }]);
    expect((await stores[0].retained()).floors.get(shard)).toBe(more[8]?.position);
  });

  it('says which event is there again, of a collection that was restored alone, until it is not', async () => {
    const entries = logEntries(perMinute(30));
    await stores[0].record(shard, entries);
    const events = client.db().collection<{ _id: string }>('events');
    const dump = await events.find().sort({ position: 1 }).toArray();
    await removeAll(stores[0], 100);
    await events.insertMany(dump.slice(0, 20));
    // What lies behind the floor is not looked at, but in a log that is read anew.
    expect(await stores[0].removeOldest(shard, all, 10)).toBeUndefined();
    await stores[0].resetPosition(shard, undefined);
    await expect(stores[1].removeOldest(shard, all, 10)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`the event ${dump[0]?._id} was removed before`),
    });
    expect(await stores[0].retained()).toMatchObject({ removedEvents: 29 });
    // As docs/operate.md has it.
    const again = events.aggregate([
      { $lookup: { from: 'removed_events', localField: '_id', foreignField: '_id', as: 'record' } },
      { $match: { record: { $ne: [] } } },
      { $project: { _id: 1 } },
    ]);
    for await (const { _id } of again) await events.deleteOne({ _id });
    expect(await left(stores[0])).toEqual([entries[29]?.event.id]);
    const more = logEntries(perMinute(5), 2_000);
    expect(await stores[0].record(shard, more)).toMatchObject({ added: 5 });
    expect(await stores[1].removeOldest(shard, all, 10)).toMatchObject({ events: 5 });
    expect(await totals(stores[2])).toEqual([35, 350n]);
  });

  it('does nothing under a lease that another has taken', async () => {
    await stores[0].record(shard, logEntries(perMinute(30)));
    const lease = (await stores[0].acquireLease('retention', 'one', 60_000)) as Lease;
    await stores[0].releaseLease(lease);
    const taken = (await stores[1].acquireLease('retention', 'two', 60_000)) as Lease;
    const late = stores[0].removeOldest(shard, all, 10, lease);
    await expect(late).rejects.toMatchObject({ code: 'conflict' });
    expect(await stores[1].removeOldest(shard, all, 10, taken)).toMatchObject({ events: 10 });
    expect(await stores[0].retained()).toMatchObject({ removedEvents: 10 });
  });

  it.each(['process/older', 'archive:0'])(
    'waits until a hub that knows nothing of it has stopped: %s',
    async (_id) => {
      await stores[0].record(shard, logEntries(perMinute(30)));
      const leases = client.db().collection<{ _id: string }>('leases');
      // As hubs before version 2 write it.
      const expires_at = new Date(Date.now() + 60_000);
      await leases.insertOne({ _id, holder: 'older', epoch: 1, expires_at } as { _id: string });
      await expect(stores[0].removeOldest(shard, all, 10)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('a hub of an older version runs'),
      });
      expect(await stores[0].previewRemoval(shard, all)).toMatchObject({ events: 29 });
      expect(await stores[0].retained()).toMatchObject({ removedEvents: 0 });
      await leases.updateOne({ _id }, { $set: { expires_at: new Date(0) } });
      expect(await stores[0].removeOldest(shard, all, 10)).toMatchObject({ events: 10 });
    },
  );

  it('keeps out a hub that knows nothing of it and comes back', async () => {
    await stores[0].record(shard, logEntries(perMinute(30)));
    await stores[0].record('1', logEntries(someEvents(2), 1, '1'));
    const positions = client.db().collection<{ _id: string; records?: number }>('positions');
    // The first step of each of its transactions that record, or rebuild; as it was before.
    const record = (of: string) =>
      positions.findOneAndUpdate({ _id: of }, { $inc: { records: 1 } });
    const rebuild = () => positions.updateMany({}, { $inc: { rebuilds: 1 } });
    await record('0');
    await rebuild();
    await stores[0].removeOldest(shard, all, 10);
    for (const step of [() => record('0'), () => record('1'), rebuild]) {
      await expect(step()).rejects.toMatchObject({ code: typeMismatch });
    }
    const more = logEntries(someEvents(3), 1_000);
    expect(await stores[1].record(shard, more)).toMatchObject({ added: 3 });
    expect(await stores[2].rebuild()).toBe(0);
  });
});

/** Ten in each minute from noon on, received as they happened. */
function perMinute(count: number): readonly Event[] {
  return Array.from({ length: count }, (_, index) => {
    const at = noon + index * (minuteMs / 10);
    return anEvent({ timestamp: minuteOf(at) + (index % 10), receivedAt: at, amount: 10n });
  });
}

async function removeAll(store: EventStore, limit: number): Promise<readonly Removal[]> {
  const removals: Removal[] = [];
  for (;;) {
    const removal = await store.removeOldest(shard, all, limit);
    if (removal === undefined) return removals;
    removals.push(removal);
  }
}

/** Whether it has settled. */
function trackOf(promise: Promise<unknown>): () => boolean {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  return () => isSettled;
}
