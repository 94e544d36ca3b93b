import fc from 'fast-check';
import { type Document, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Event } from '../../src/event/event.ts';
import { matches } from '../../src/event/filter.ts';
import type { LogEntry, Position } from '../../src/log/event-log.ts';
import type { EventStore, ListQuery } from '../../src/store/event-store.ts';
import { openMongoStore } from '../../src/store/mongo/mongo-store.ts';
import { anEvent } from '../support/build-event.ts';
import { sharedMongo } from '../support/engines/shared-engines.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { eventStoreSuite } from './event-store.suite.ts';
import { keepAsideSuite } from './keep-aside.suite.ts';
import { mongoStoreHarness, partitionEntry } from './mongo-store-harness.ts';

const noon = Date.UTC(2026, 5, 30, 12, 0, 0);
const minuteMs = 60_000;

const harnessByReceipt = () => mongoStoreHarness({ isLogSharded: true });

describeWithEngines('MongoDB beside a sharded log', ['mongo'], () => {
  eventStoreSuite('on MongoDB beside a sharded log', harnessByReceipt);
  keepAsideSuite('MongoDB beside a sharded log', harnessByReceipt);
});

describeWithEngines('events of several shards in MongoDB', ['mongo'], () => {
  let url: string;
  let store: EventStore;
  beforeEach(async () => {
    url = await sharedMongo();
    store = await openMongoStore(url, { exclusive: true, isLogSharded: true });
  });
  afterEach(async () => {
    await store.close();
    const client = new MongoClient(url);
    await client.db().dropDatabase();
    await client.close();
  });

  const ids = (events: readonly { readonly event: Event }[]) => events.map(({ event }) => event.id);
  /** Shuffled over the shards and over time, with several at the same moment. */
  const scattered = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const receivedAt = noon + ((index * 7_919) % 97) * 1_000;
      const event = anEvent({
        receivedAt,
        timestamp: receivedAt - ((index * 31) % 11) * minuteMs,
        userId: `u${index % 5}`,
        eventType: index % 4 === 0 ? 'refund' : 'purchase',
      });
      return partitionEntry(index % 3, index, event);
    });
  const recordAll = async (entries: readonly LogEntry[]) => {
    for (const [shard, own] of Map.groupBy(entries, (entry) => entry.shard)) {
      await store.record(shard, own);
    }
  };
  const byReceipt = (entries: readonly LogEntry[]) =>
    entries
      .map(({ event }) => event)
      .toSorted((a, b) => a.receivedAt - b.receivedAt || (a.id < b.id ? -1 : 1));

  it('are listed by their time of receipt, then their id, for any filter, window and page', async () => {
    const entries = scattered(300);
    await recordAll(entries);
    const all = byReceipt(entries);
    const time = fc.option(
      fc.integer({ min: -12 * minuteMs, max: 3 * minuteMs }).map((ms) => noon + ms),
      { nil: undefined },
    );
    const names = (values: readonly string[]) =>
      fc.option(fc.subarray([...values], { minLength: 1 }), { nil: undefined });
    const query = fc.record({
      userIds: names(['u0', 'u1', 'u4', 'nobody']),
      eventTypes: names(['refund', 'purchase']),
      from: time,
      to: time,
      order: fc.constantFrom('asc' as const, 'desc' as const),
      limit: fc.integer({ min: 1, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(query, async ({ userIds, eventTypes, from, to, order, limit }) => {
        const filter = {
          ...(userIds === undefined ? {} : { userIds }),
          ...(eventTypes === undefined ? {} : { eventTypes }),
        };
        const window = {
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
        };
        const inside = all.filter(
          (event) =>
            matches(filter, event) &&
            event.timestamp >= (from ?? 0) &&
            event.timestamp < (to ?? Number.POSITIVE_INFINITY),
        );
        const expected = (order === 'asc' ? inside : inside.toReversed()).map(({ id }) => id);
        const seen: string[] = [];
        let after: string | undefined;
        for (let hasMore = true; hasMore; ) {
          const beyond = after === undefined ? {} : { after };
          const page = await store.find({ filter, ...window, order, limit, ...beyond });
          seen.push(...ids(page.events));
          after = page.events.at(-1)?.listKey;
          ({ hasMore } = page);
        }
        expect(seen).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('are read on by shard in the order of the log, whatever their time of receipt', async () => {
    const entries = scattered(120);
    await recordAll(entries);
    for (const [shard, own] of Map.groupBy(entries, (entry) => entry.shard)) {
      expect(ids(await store.entriesAfter(shard, 'start', 1_000))).toEqual(ids(own));
      const middle = own[17]?.position as Position;
      expect(ids(await store.entriesAfter(shard, middle, 5))).toEqual(ids(own.slice(18, 23)));
    }
    const elsewhere = entries.find(({ shard }) => shard === '1')?.position as Position;
    await expect(store.entriesAfter('0', elsewhere, 5)).rejects.toMatchObject({
      code: 'position_gone',
    });
  });

  it('count once however the shards are recorded, and in each their position moves alone', async () => {
    const entries = scattered(200);
    await recordAll(entries.slice(0, 120));
    await recordAll(entries);
    const lasts = [...Map.groupBy(entries, ({ shard }) => shard).values()].flatMap((own) =>
      own.slice(-1),
    );
    const positions = await store.positions();
    expect(positions).toEqual(new Map(lasts.map(({ shard, position }) => [shard, position])));
    const window = { from: noon - 60 * minuteMs, to: noon + 60 * minuteMs, filter: {} };
    const { buckets, asOf } = await store.aggregate(window);
    expect(buckets.reduce((sum, { eventCount }) => sum + eventCount, 0)).toBe(200);
    expect(asOf?.receivedAt).toBe(Math.max(...lasts.map(({ event }) => event.receivedAt)));
    expect(await store.verify()).toEqual([]);
    const done = new AbortController().signal;
    await store.reached(positions, done);
  });

  it('keep one of two with one id that come in two shards at once, and the other as a conflict', async () => {
    const events = Array.from({ length: 40 }, () => anEvent({ timestamp: noon, amount: 1n }));
    const first = events.map((event, index) => partitionEntry(0, index, event));
    const second = events.map((event, index) =>
      partitionEntry(1, index, { ...event, userId: 'u2', amount: 3n }),
    );
    const recorded = await Promise.all([store.record('0', first), store.record('1', second)]);
    const sum = (of: 'added' | 'conflicts') => recorded.reduce((all, each) => all + each[of], 0);
    expect([sum('added'), sum('conflicts')]).toEqual([40, 40]);
    expect(await store.conflicts(100)).toHaveLength(40);
    expect(await store.verify()).toEqual([]);
  });

  it('are removed by shard, and what was removed is known in all of them', async () => {
    const at = (index: number) => noon + index * 10_000;
    const entries = Array.from({ length: 90 }, (_, index) =>
      partitionEntry(index % 3, index, anEvent({ receivedAt: at(index), timestamp: at(index) })),
    );
    await recordAll(entries);
    const whole = { from: noon, to: noon + 15 * minuteMs, filter: {} };
    const before = await store.aggregate(whole);
    const cut = { receivedBefore: at(60) };
    const previews = await Promise.all(
      ['0', '1', '2'].map((own) => store.previewRemoval(own, cut)),
    );
    expect(previews).toMatchObject([{ events: 20 }, { events: 20 }, { events: 20 }]);
    const [first, second] = await Promise.all(
      ['0', '1'].map((own) => store.removeOldest(own, cut, 1_000)),
    );
    expect([first, second]).toMatchObject([{ events: 20 }, { events: 20 }]);
    // A minute is frozen once, by whichever shard loses an event of it first.
    expect((first?.minutes ?? 0) + (second?.minutes ?? 0)).toBe(10);
    expect(await store.retained()).toEqual({
      floors: new Map([
        ['0', entries[57]?.position],
        ['1', entries[58]?.position],
      ]),
      removedEvents: 40,
      frozenMinutes: 10,
    });
    const own = (shard: string) => entries.filter((entry) => entry.shard === shard);
    expect(ids(await store.entriesAfter('0', 'start', 100))).toEqual(ids(own('0').slice(20)));
    expect(ids(await store.entriesAfter('2', 'start', 100))).toEqual(ids(own('2')));
    await expect(
      store.entriesAfter('1', own('1')[3]?.position as Position, 5),
    ).rejects.toMatchObject({ code: 'position_gone', position: entries[58]?.position });
    const [removed] = entries as [LogEntry];
    const elsewhere = [removed.event, { ...removed.event, amount: 1n }].map((event, index) =>
      partitionEntry(2, 1_000 + index, event),
    );
    expect(await store.record('2', elsewhere)).toEqual({ added: 0, duplicates: 1, conflicts: 1 });
    expect((await store.aggregate(whole)).buckets).toEqual(before.buckets);
    expect(await store.verify()).toEqual([]);
    expect(await store.rebuild()).toBe(0);
  });

  it.each([true, false])(
    'are not mixed with those of the other kind of log (sharded first: %s)',
    async (isFirst) => {
      const own = await sharedMongo();
      const [first, second] = [isFirst, !isFirst];
      await (await openMongoStore(own, { exclusive: true, isLogSharded: first })).close();
      const refused = openMongoStore(own, { exclusive: true, isLogSharded: second });
      await expect(refused).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringMatching(
          isFirst
            ? /filled from a log on Kafka, and the one of EVENT_HUB_LOG is on Redis.*event-hub copy/
            : /filled from a log on Redis, and the one of EVENT_HUB_LOG is on Kafka.*event-hub copy/,
        ),
      });
      // Who only looks may do so.
      await (await openMongoStore(own, { exclusive: false, isLogSharded: second })).close();
      await (await openMongoStore(own, { exclusive: true, isLogSharded: first })).close();
      const client = new MongoClient(own);
      await client.db().dropDatabase();
      await client.close();
    },
  );
});

describeWithEngines('a query on MongoDB beside a sharded log', ['mongo'], () => {
  const count = 6_000;
  const shards = 6;
  let store: EventStore;
  let client: MongoClient;
  beforeAll(async () => {
    const url = await sharedMongo();
    store = await openMongoStore(url, { exclusive: true, isLogSharded: true });
    client = new MongoClient(url);
    // A hundred minutes, ten events of each shard in each.
    for (let shard = 0; shard < shards; shard += 1) {
      const entries = Array.from({ length: count / shards }, (_, index) => {
        const receivedAt = noon + index * (minuteMs / 10) + shard;
        const eventType = index % 100 === 0 ? 'refund' : 'purchase';
        const userId = `u${shard}-${index % 50}`;
        return partitionEntry(
          shard,
          index,
          anEvent({ userId, eventType, receivedAt, timestamp: receivedAt }),
        );
      });
      await store.record(String(shard), entries);
    }
    await client.db().command({ profile: 2 });
  });
  afterAll(async () => {
    await client.db().command({ profile: 0 });
    await client.db().dropDatabase();
    await store.close();
    await client.close();
  });

  /** What the server did for it with events. */
  async function profiled(work: () => Promise<unknown>): Promise<readonly Document[]> {
    const profile = client.db().collection('system.profile');
    const from = await profile.countDocuments();
    await work();
    const done = await profile.find().sort({ $natural: 1 }).skip(from).toArray();
    return done.filter(({ ns, op }) => ns.endsWith('.events') && ['query', 'getmore'].includes(op));
  }

  const listed = (query: Partial<ListQuery>) => () =>
    store.find({ filter: {}, order: 'desc', limit: 10, ...query });
  const positionAt = (shard: number, offset: number) =>
    partitionEntry(shard, offset, anEvent()).position;
  const key = `${String(noon + 30 * minuteMs).padStart(15, '0')}|`;
  const hour = { from: noon + 30 * minuteMs, to: noon + 90 * minuteMs };
  const page = 11;
  const everything = { receivedBefore: Number.MAX_SAFE_INTEGER };

  it.each<[string, () => Promise<unknown>, number]>([
    ['lists the newest', listed({}), page],
    ['lists the oldest', listed({ order: 'asc' }), page],
    ['lists behind a page', listed({ after: key }), page],
    ['lists one user', listed({ filter: { userIds: ['u3-7'] } }), page],
    ['lists several users', listed({ filter: { userIds: ['u3-7', 'u1-8'] } }), page + 2],
    ['lists a rare type', listed({ filter: { eventTypes: ['refund'] } }), page],
    ['lists one user in a window', listed({ filter: { userIds: ['u3-7'] }, ...hour }), page],
    ['reads on in the first shard', () => store.entriesAfter('0', positionAt(0, 970), 50), 50],
    ['reads on at the end of a shard', () => store.entriesAfter('2', positionAt(2, 998), 50), 2],
    ['reads the last shard from its start', () => store.entriesAfter('5', 'start', 50), 50],
    ['removes the oldest of a shard', () => store.removeOldest('3', everything, 50), 51],
    ['removes those behind them', () => store.removeOldest('3', everything, 50), 51],
    ['previews the rest of the shard', () => store.previewRemoval('3', everything), 900],
  ])('%s by an index, without sorting, reading no more than it gives', async (_, work, max) => {
    const done = await profiled(work);
    expect(done.length).toBeGreaterThan(0);
    for (const { planSummary, hasSortStage, docsExamined = 0 } of done) {
      expect(planSummary).toMatch(/^(IXSCAN|IDHACK)/);
      expect(hasSortStage ?? false).toBe(false);
      expect(docsExamined).toBeLessThanOrEqual(max);
    }
  });
});
