import { type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EventStore, ListQuery } from '../../../src/store/event-store.ts';
import { openMongoStore } from '../../../src/store/mongo/mongo-store.ts';
import { anEvent } from '../../support/build-event.ts';
import { sharedMongo } from '../../support/engines/shared-engines.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { logEntries } from './mongo-stores.ts';

const noon = Date.UTC(2026, 5, 30, 12, 0, 0);
const minuteMs = 60_000;
const count = 24_000;
const users = 200;
const ofUser = count / users;
const perMinute = count / 1_200;

describeWithEngines('a query on MongoDB', ['mongo'], () => {
  let store: EventStore;
  let client: MongoClient;

  beforeAll(async () => {
    const url = await sharedMongo();
    store = await openMongoStore(url, { exclusive: true });
    client = new MongoClient(url);
    // Twenty hours, twenty events a minute.
    const entries = logEntries(
      Array.from({ length: count }, (_, index) =>
        anEvent({
          userId: `u${index % users}`,
          eventType: index % 100 === 0 ? 'refund' : 'purchase',
          currency: index % 3 === 0 ? 'USD' : 'EUR',
          timestamp: noon + index * (minuteMs / perMinute),
        }),
      ),
    );
    await store.record('0', entries);
    await client.db().command({ profile: 2 });
  });

  afterAll(async () => {
    await client.db().command({ profile: 0 });
    await store.close();
    await client.close();
  });

  /** What the server did for it. */
  async function profiled(
    work: () => Promise<unknown>,
    withWrites = false,
  ): Promise<readonly Document[]> {
    const profile = client.db().collection('system.profile');
    const from = await profile.countDocuments();
    await work();
    const done = await profile.find().sort({ $natural: 1 }).skip(from).toArray();
    return done.filter(
      ({ ns, op, command }) =>
        /\.(events|removed_events|minute_metrics|frozen_minutes|positions)$/.test(ns) &&
        (withWrites ? ['query', 'remove'] : ['query', 'command', 'getmore']).includes(op) &&
        command?.count === undefined,
    );
  }

  const listed = (query: Partial<ListQuery>) => () =>
    store.find({ filter: {}, order: 'desc', limit: 10, ...query });
  const aggregated = (from: number, to: number, filter = {}) => {
    return () => store.aggregate({ from: noon + from, to: noon + to, filter });
  };
  const hour = { from: noon + 60 * minuteMs, to: noon + 120 * minuteMs };
  const page = 11;

  it.each<[string, () => () => Promise<unknown>, number]>([
    ['lists the newest', () => listed({}), page],
    ['lists the oldest', () => listed({ order: 'asc' }), page],
    ['lists behind a page', () => listed({ after: '0000000000012000' }), page],
    ['lists one user', () => listed({ filter: { userIds: ['u7'] } }), page],
    ['lists several users', () => listed({ filter: { userIds: ['u7', 'u8', 'u9'] } }), page + 3],
    ['lists a rare type', () => listed({ filter: { eventTypes: ['refund'] } }), page],
    [
      'lists several types',
      () => listed({ filter: { eventTypes: ['refund', 'purchase'] } }),
      page + 2,
    ],
    ['lists a currency', () => listed({ filter: { currency: 'USD' } }), page * 3],
    ['lists a window of all time', () => listed({ from: noon }), page],
    ['lists one user in a window', () => listed({ filter: { userIds: ['u7'] }, ...hour }), page],
    ['gets one', () => () => store.get('absent'), 0],
    ['gets many', () => () => store.getMany(['absent', 'none']), 0],
    ['reads on in log order', () => () => store.entriesAfter('0', 'start', 50), 50],
    [
      'finds a position',
      () => async () => {
        const places = new Map([['0', '0000000000012000' as never]]);
        await store.reached(places, new AbortController().signal);
      },
      2,
    ],
  ])('%s by an index, without sorting, reading no more than it gives', async (_, work, max) => {
    const done = await profiled(work());
    expect(done.length).toBeGreaterThan(0);
    for (const { ns, planSummary, hasSortStage, docsExamined = 0 } of done) {
      if (ns.endsWith('.positions')) continue;
      expect(planSummary).toMatch(/^(IXSCAN|IDHACK)/);
      expect(hasSortStage ?? false).toBe(false);
      if (ns.endsWith('.events')) expect(docsExamined).toBeLessThanOrEqual(max);
    }
  });

  it('lists a small window by its time, reading the window alone', async () => {
    const done = await profiled(listed(hour));
    const [events] = done.filter(({ ns }) => ns.endsWith('.events'));
    expect(events).toMatchObject({ planSummary: 'IXSCAN { timestamp: 1 }' });
    expect(events?.docsExamined).toBeLessThanOrEqual(60 * perMinute);
  });

  it.each<[string, () => () => Promise<unknown>, number]>([
    ['whole minutes', () => aggregated(0, 600 * minuteMs), 0],
    ['edges', () => aggregated(1, 600 * minuteMs + 1), 2 * perMinute],
    ['one type', () => aggregated(1, 90 * minuteMs, { eventTypes: ['refund'] }), perMinute],
    ['less than a minute', () => aggregated(1, 30_000), perMinute],
    [
      'one user in an hour',
      () => aggregated(0, 60 * minuteMs, { userIds: ['u7'] }),
      Math.ceil(ofUser / 20) + 1,
    ],
    ['nothing', () => aggregated(-600 * minuteMs, -1), 0],
  ])('adds up %s from the counts, and at its edges from no other events', async (_, work, max) => {
    const done = await profiled(work());
    expect(done.length).toBeGreaterThan(0);
    let examined = 0;
    for (const { ns, planSummary, docsExamined = 0 } of done) {
      if (ns.endsWith('.positions')) continue;
      expect(planSummary).toMatch(/^(IXSCAN|EOF)/);
      if (ns.endsWith('.events')) examined += docsExamined;
    }
    expect(examined).toBeLessThanOrEqual(max);
  });

  it('previews and removes by the order of the log, reading the events of a step and one more', async () => {
    const cut = { receivedBefore: Number.MAX_SAFE_INTEGER };
    const soon = { ...cut, upTo: '0000000000000200' as never };
    const preview = await profiled(() => store.previewRemoval('0', soon));
    const read = preview.filter(({ ns }) => ns.endsWith('.events'));
    expect(read.length).toBeGreaterThan(0);
    for (const { planSummary, hasSortStage } of read) {
      expect(planSummary).toBe('IXSCAN { position: 1 }');
      expect(hasSortStage ?? false).toBe(false);
    }
    for (let step = 1; step <= 3; step += 1) {
      const done = await profiled(() => store.removeOldest('0', cut, 100), true);
      const events = done.filter(({ ns }) => ns.endsWith('.events'));
      expect(events).toMatchObject([
        { planSummary: 'IXSCAN { position: 1 }', docsExamined: 2 },
        { planSummary: 'IXSCAN { position: 1 }', docsExamined: 101 },
        { op: 'remove', planSummary: 'IXSCAN { _id: 1 }', ndeleted: 100 },
      ]);
      for (const { hasSortStage } of events) expect(hasSortStage ?? false).toBe(false);
    }
    const removed = await profiled(() => store.getMany(['absent', 'none']));
    expect(removed.length).toBeGreaterThan(0);
    for (const { planSummary } of removed) expect(planSummary).toMatch(/^IXSCAN { _id: 1 }/);
    const behind = await profiled(() => store.entriesAfter('0', 'start', 50));
    const [page] = behind.filter(({ ns }) => ns.endsWith('.events'));
    expect(page).toMatchObject({ planSummary: 'IXSCAN { position: 1 }', docsExamined: 50 });
  });

  it('finds a frozen minute at an edge, and one in a year of them, by its index', async () => {
    const edges = [
      () => store.aggregate({ from: noon + 1, to: noon + 600 * minuteMs, filter: {} }),
      () => store.aggregate({ from: noon, to: noon + 1, filter: {} }),
      () => store.aggregate({ from: 0, to: noon * 2, filter: { userIds: ['u7'] } }),
    ];
    for (const edge of edges) {
      const done = await profiled(() => expect(edge()).rejects.toMatchObject({ code: 'invalid' }));
      const looks = done.filter(({ ns }) => ns.endsWith('.frozen_minutes'));
      expect(looks).toMatchObject([{ planSummary: 'IXSCAN { _id: 1 }', docsExamined: 1 }]);
      expect(done.filter(({ ns }) => ns.endsWith('.events'))).toEqual([]);
    }
  });

  it('finds the known ids of a batch by the index alone', async () => {
    const done = await profiled(() =>
      store.record('0', logEntries([anEvent(), anEvent()], count + 1)),
    );
    const [lookup] = done.filter(({ ns }) => ns.endsWith('.events'));
    expect(lookup).toMatchObject({ planSummary: 'IXSCAN { _id: 1 }' });
    expect(lookup?.docsExamined).toBe(0);
  });
});
