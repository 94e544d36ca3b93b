import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseEventTypes } from '../../../src/event/event-rules.ts';
import { anInput, get, postEvents } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { FeedReader } from '../drivers/feed-reader.ts';
import { type Drivers, openDrivers } from '../drivers/open-drivers.ts';

let hub: TestHub;
let drivers: Drivers;
beforeAll(async () => {
  const eventTypes = parseEventTypes('purchase:+,return:-,refund:-');
  hub = await startTestHub({ metricsAmounts: true, eventTypes });
  drivers = openDrivers(hub);
});
afterAll(async () => {
  await drivers.close();
  await hub.remove();
});

const patience = { timeout: 30_000 };
const page = async () => (await get(hub.url, '/metrics')).text;
/** The value behind a name with its labels; undefined when the page has none. */
const figure = async (series: string) => {
  const line = (await page()).split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};

describe('the figures of a hub', () => {
  it('have how many events each commit had', async () => {
    const name = 'event_hub_commit_events';
    const before = (await figure(`${name}_sum`)) ?? 0;
    const commits = (await figure(`${name}_count`)) ?? 0;
    await postEvents(
      hub.url,
      Array.from({ length: 70 }, () => anInput()),
    );
    expect(await figure(`${name}_sum`)).toBe(before + 70);
    expect(await figure(`${name}_count`)).toBe(commits + 1);
    expect(await figure('event_hub_append_duration_seconds_count')).toBe(commits + 1);
    expect(await figure(`${name}_bucket{le="100"}`)).toBe(commits + 1);
  });

  it.each([
    ['sse', 'rest'],
    ['grpc', 'grpc'],
    ['graphql-ws', 'graphql'],
  ] as const)('have how long live events take to a subscriber of %s', async (transport, name) => {
    const series = `event_hub_delivery_duration_seconds_count{transport="${transport}"}`;
    const reader = new FeedReader(drivers[name], { after: await endOfFeed() });
    const sendAndRead = async () => {
      const sent = await send();
      expect((await reader.event()).id).toBe(sent);
    };
    // The first ones may be history still.
    const isLive = async () => {
      await sendAndRead();
      return (await figure(series)) !== undefined;
    };
    await expect.poll(isLive, patience).toBe(true);
    const before = (await figure(series)) ?? 0;
    await sendAndRead();
    await sendAndRead();
    await expect.poll(() => figure(series), patience).toBeGreaterThanOrEqual(before + 2);
    await reader.leave();
  });

  it('have nothing of history in the time to a subscriber', async () => {
    const series = 'event_hub_delivery_duration_seconds_count{transport="ndjson"}';
    await send();
    const stream = await fetch(`${hub.url}/events/stream?after=start&follow=false`, {
      headers: { accept: 'application/x-ndjson' },
    });
    expect((await stream.text()).split('\n').length).toBeGreaterThan(1);
    expect(await figure(series)).toBeUndefined();
  });

  it('count events that come after their minute was reported, by type', async () => {
    const series = 'event_hub_late_events_total{event_type="return"}';
    const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
    const late = anInput({ event_type: 'return', timestamp: ago(3 * 60_000) });
    const onTime = anInput({ event_type: 'return', timestamp: ago(0) });
    await postEvents(hub.url, [late, late, onTime]);
    expect(await figure(series)).toBe(1);
  });

  it('add up the amounts of accepted events, once, by type and currency, and say that it is approximate', async () => {
    const one = anInput({ event_type: 'refund', amount: '150.75', currency: 'EUR' });
    const other = anInput({ event_type: 'refund', amount: '0.25', currency: 'USD' });
    await postEvents(hub.url, [one, one, other]);
    const of = (currency: string) =>
      figure(`event_hub_amounts_total{event_type="refund",currency="${currency}"}`);
    expect([await of('EUR'), await of('USD')]).toEqual([150.75, 0.25]);
    expect(await page()).toMatch(/^# HELP event_hub_amounts_total .*approximate/m);
  });

  it('have no amounts unless they are asked for', async () => {
    const silent = await startTestHub();
    try {
      await postEvents(silent.url, anInput());
      expect((await get(silent.url, '/metrics')).text).not.toContain('event_hub_amounts_total');
    } finally {
      await silent.remove();
    }
  });

  it('have how many entries the log has had, and what the store takes', async () => {
    await expect
      .poll(() => figure('event_hub_log_position{shard="0"}'), patience)
      .toBe(await countAll());
    expect(await figure('event_hub_store_bytes{store="sqlite"}')).toBeGreaterThan(4096);
  });

  it('have each part, and whether the process is ready', async () => {
    for (const part of ['log', 'store', 'access']) {
      expect(await figure(`event_hub_part_up{part="${part}"}`)).toBe(1);
    }
    expect(await figure('event_hub_ready')).toBe(1);
  });

  it('have the delay of the event loop', async () => {
    expect(await figure('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
  });

  it('never name a user or an event', async () => {
    const marked = anInput({ id: 'marked-event', user_id: 'marked-user' });
    await postEvents(hub.url, [
      marked,
      { ...marked, amount: '11' },
      { ...marked, event_type: 'marked-type' },
    ]);
    await get(hub.url, '/events?user_id=marked-user');
    await get(hub.url, '/events/marked-event');
    expect(await page()).not.toContain('marked');
  });
});

async function send(): Promise<string> {
  const { json } = await postEvents(hub.url, anInput());
  return json.id;
}

async function endOfFeed(): Promise<string> {
  const { json } = await postEvents(hub.url, anInput());
  return json.position;
}

async function countAll(): Promise<number> {
  const lines = await (
    await fetch(`${hub.url}/events/stream?after=start&follow=false`, {
      headers: { accept: 'application/x-ndjson' },
    })
  ).text();
  return lines.split('\n').filter((line) => line.includes('"user_id"')).length;
}
