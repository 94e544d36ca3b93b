import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { FeedReader } from '../protocols/drivers/feed-reader.ts';
import { type Drivers, openDrivers } from '../protocols/drivers/open-drivers.ts';
import { failureOf } from '../protocols/drivers/protocol-driver.ts';
import { run } from '../protocols/graphql/graphql-calls.ts';
import { all, GrpcClient } from '../protocols/grpc/grpc-client.ts';
import { ApiKeys, bearing, type MadeKey, untilKnown } from '../support/api-keys.ts';
import { openStream, parseFrame } from '../support/read-stream.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';

/** Sends and sees purchases and returns; a refund is none of its business. */
const types = ['purchase', 'return'];
const noon = '2026-01-15T12:00:00Z';
const window = { from: noon, to: '2026-01-15T12:01:00Z' };

let hub: TestHub;
let admin: MadeKey;
let shop: MadeKey;
let drivers: Drivers;

/** Heartbeats when a test says so. */
const beats: (() => void)[] = [];
const clock = {
  ...systemClock,
  // Late enough for the feed to say how far it has come.
  monotonicMs: () => systemClock.monotonicMs() + 60_000,
  every: (ms: number, action: () => void) => {
    if (ms === 15_000) beats.push(action);
    return systemClock.every(ms, action);
  },
};

beforeAll(async () => {
  hub = await startTestHub({}, { clock });
  const events = ['purchase', 'refund', 'return', 'refund', 'purchase'].map((event_type, index) =>
    anInput({ id: `${event_type}-${index}`, event_type, timestamp: noon, currency: 'EUR' }),
  );
  const { json } = await postEvents(hub.url, events);
  expect(json.accepted).toBe(events.length);
  const scopes = ['events:write', 'events:read', 'aggregates:read'] as const;
  [admin, shop] = (await new ApiKeys(hub.settings).makeAll([
    { scopes: ['admin'] },
    { scopes, name: 'shop', eventTypes: types },
  ])) as [MadeKey, MadeKey];
  await untilKnown(hub.url, shop);
  drivers = openDrivers(hub, bearing(shop));
});

afterAll(async () => {
  await drivers.close();
  await hub.remove();
});

const seen = ['purchase-0', 'return-2', 'purchase-4'];
const ids = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id);

describe('a key for some types of events, sending', () => {
  it('is refused one event of another type, on each protocol, and it is not stored', async () => {
    for (const driver of drivers.all) {
      const event = anInput({ event_type: 'refund' });
      expect(await failureOf(driver.send(event)), driver.name).toMatchObject({
        code: 'forbidden',
        message: 'key shop is only for events of the types purchase, return',
      });
      // Not even for who sees everything: the id is free.
      expect(await driver.send({ ...event, event_type: 'purchase' })).toMatchObject({
        status: 'success',
      });
    }
    const answer = await postEvents(hub.url, anInput({ event_type: 'refund' }), bearing(shop));
    expect(answer).toMatchObject({ status: 403, json: { code: 'forbidden' } });
  });

  it('has the good ones of a batch stored, and the others refused one by one', async () => {
    for (const driver of drivers.all) {
      const events = ['purchase', 'refund', 'return'].map((event_type) => anInput({ event_type }));
      const { accepted, rejected, results } = await driver.sendBatch(events);
      expect({ accepted, rejected }, driver.name).toEqual({ accepted: 2, rejected: 1 });
      expect(results.map(({ status }) => status)).toEqual(['success', 'rejected', 'success']);
      expect(results[1]?.error?.code).toBe('forbidden');
    }
  });

  it('has nothing of an atomic batch stored that holds another type', async () => {
    for (const driver of drivers.all) {
      const events = ['purchase', 'refund'].map((event_type) => anInput({ event_type }));
      const { results } = await driver.sendBatch(events, { atomic: true });
      expect(
        results.map(({ status }) => status),
        driver.name,
      ).toEqual(['not_stored', 'rejected']);
      expect(results[1]?.error?.code).toBe('forbidden');
      expect((await failureOf(driver.get(String(events[0]?.id)))).code).toBe('not_found');
    }
  });

  it('has each event of an ingest stream answered for itself', async () => {
    const client = new GrpcClient(hub.grpcAddress);
    const stream = client.duplex('SendEvents', { metadata: bearing(shop) });
    for (const event_type of ['purchase', 'refund', 'return', 'nothing']) {
      stream.write({ user_id: 'u', event_type, amount: 1 });
    }
    stream.end();
    expect((await all(stream)).map(({ status, code }) => code ?? status)).toEqual([
      'success',
      'forbidden',
      'success',
      'invalid',
    ]);
    client.close();
  });

  it('learns what is wrong with an event before whether it may send it', async () => {
    const event = anInput({ event_type: 'refund', amount: '-1' });
    for (const driver of drivers.all)
      expect((await failureOf(driver.send(event))).code).toBe('invalid');
  });
});

describe('a key for some types of events, reading', () => {
  it('is told of an event of another type what is told of none', async () => {
    for (const driver of drivers.all) {
      expect((await driver.get('purchase-0')).id).toBe('purchase-0');
      const other = await failureOf(driver.get('refund-1'));
      expect(other, driver.name).toEqual(await failureOf(driver.get('refund-99')));
      expect(other.code).toBe('not_found');
    }
    expect((await get(hub.url, '/events/refund-1', bearing(shop))).status).toBe(404);
  });

  it('sees only its types in listings, and pages through them', async () => {
    for (const driver of drivers.all) {
      const { events } = await driver.list({ ...window, order: 'asc' });
      expect(ids(events), driver.name).toEqual(seen);
      const first = await driver.list({ ...window, limit: 2 });
      const second = await driver.list({ ...window, limit: 2, cursor: first.next ?? '' });
      expect(ids([...first.events, ...second.events])).toEqual(seen.toReversed());
      expect(second.next).toBeUndefined();
      const latest = await driver.latest({ limit: 1_000 });
      expect(latest.every(({ event_type }) => types.includes(event_type))).toBe(true);
    }
  });

  it('counts only its types', async () => {
    for (const driver of drivers.all) {
      const totals = await driver.aggregate(window);
      expect(totals, driver.name).toMatchObject({
        event_count: 3,
        total_amount: '30',
        net_amount: '10',
        by_type: [{ event_type: 'purchase' }, { event_type: 'return' }],
      });
      const { buckets } = (await driver.series?.({ ...window, group_by: 'event_type' })) ?? {};
      if (buckets === undefined) continue;
      expect(buckets.map(({ event_type }) => event_type)).toEqual(types);
      expect(buckets.reduce((sum, { event_count }) => sum + event_count, 0)).toBe(3);
    }
  });

  it('follows only its types, on every transport', async () => {
    const client = new GrpcClient(hub.grpcAddress);
    for (const driver of drivers.feeds) {
      const reader = new FeedReader(driver, { after: 'start' });
      expect(ids(await reader.events(3)), driver.name).toEqual(seen);
      await reader.leave();
    }
    const latest = await all(
      client.stream('StreamEvents', { limit: 1_000 }, { metadata: bearing(shop) }),
    );
    expect(latest.length).toBeGreaterThanOrEqual(3);
    expect(latest.every(({ event_type }) => types.includes(String(event_type)))).toBe(true);
    client.close();
  });

  it('may ask for one of its types, and is refused another', async () => {
    for (const driver of drivers.all) {
      const { events } = await driver.list({ ...window, event_type: ['return'] });
      expect(ids(events), driver.name).toEqual(['return-2']);
      for (const asked of [['refund'], ['purchase', 'refund']]) {
        const calls = [
          driver.list({ event_type: asked }),
          driver.latest({ event_type: asked }),
          driver.aggregate({ ...window, event_type: asked.at(-1) ?? '' }),
          new FeedReader(driver, { after: 'start', filter: { event_type: asked } }).event(),
        ];
        for (const call of calls) {
          expect((await failureOf(call)).code, driver.name).toBe('forbidden');
        }
      }
    }
    for (const path of [
      '/events',
      '/events/stream',
      '/aggregates',
      '/aggregates/series?minutes=1',
    ]) {
      const query = `${path.includes('?') ? '&' : '?'}event_type=refund`;
      expect((await get(hub.url, path + query, bearing(shop))).status, path).toBe(403);
    }
  });

  it('gets no more for an empty list of types than for none', async () => {
    const query = `{
      events(filter: { eventType: [], from: "${window.from}", to: "${window.to}" }) {
        edges { node { id } }
      }
      lastEvents(limit: 1000, eventType: []) { eventType }
      aggregatedMetrics(from: "${window.from}", to: "${window.to}", eventType: []) { eventCount }
      metricsSeries(from: "${window.from}", to: "${window.to}", eventType: []) {
        buckets { eventCount }
      }
    }`;
    const { data } = await run(hub.url, query, {}, bearing(shop));
    expect(data).toMatchObject({
      aggregatedMetrics: { eventCount: 3 },
      metricsSeries: { buckets: [{ eventCount: 3 }] },
      events: { edges: seen.toReversed().map((id) => ({ node: { id } })) },
    });
    const listed: readonly { eventType: string }[] = data.lastEvents;
    expect(listed.filter(({ eventType }) => !types.includes(eventType))).toEqual([]);
    const [ws, sse] = [drivers.graphql, drivers.feeds[4]];
    for (const driver of [ws, sse]) {
      if (driver === undefined) throw new Error('there is no such driver');
      const reader = new FeedReader(driver, { after: 'start', filter: { event_type: [] } });
      expect(ids(await reader.events(3))).toEqual(seen);
      await reader.leave();
    }
  });

  it('is told by heartbeats how far it has come, past events of other types too', async () => {
    const lines = { accept: 'application/x-ndjson', ...bearing(shop) };
    const stream = await openStream(`${hub.url}/events/stream`, bearing(shop));
    const asLines = await openStream(`${hub.url}/events/stream`, lines, '\n');
    await stream.frame('caught-up');
    await asLines.next();
    const refund = anInput({ event_type: 'refund' });
    const { position } = (await postEvents(hub.url, refund, bearing(admin))).json;
    await expect
      .poll(async () => {
        for (const beat of beats) beat();
        return parseFrame((await stream.next()) ?? '').id;
      })
      .toBe(position);
    await expect
      .poll(async () => JSON.parse((await asLines.next()) || '{}'))
      .toEqual({ control: 'position', position });
    await stream.close();
    await asLines.close();
  });
});
