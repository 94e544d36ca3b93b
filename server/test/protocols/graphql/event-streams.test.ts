import { createClient } from 'graphql-sse';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { limits } from '../../../src/base/limits.ts';
import { openRaw } from '../../support/raw-http.ts';
import { type OpenStream, openStream, parseFrame } from '../../support/read-stream.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { sendPurchases } from './graphql-calls.ts';

let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(() => hub.remove());

const accept = { accept: 'text/event-stream' };

async function follow(query: string): Promise<OpenStream> {
  const stream = await openStream(`${hub.url}/graphql?${new URLSearchParams({ query })}`, accept);
  onTestFinished(() => stream.close());
  return stream;
}

const following = (after: string) =>
  `subscription { eventStream(after: "${after}") { userId position } }`;

async function nextResult(stream: OpenStream) {
  const { data } = await stream.frame('next');
  return JSON.parse(data ?? '');
}

describe('a subscription over server-sent events', () => {
  it('gives history, then what comes, and resumes after a position', async () => {
    const [first, second] = await sendPurchases(hub.url, 2);
    const stream = await follow(following('start'));
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
    expect((await nextResult(stream)).data.eventStream.position).toBe(first);
    expect((await nextResult(stream)).data.eventStream.position).toBe(second);
    const [third] = await sendPurchases(hub.url, 1);
    expect((await nextResult(stream)).data.eventStream.position).toBe(third);
    const resumed = await follow(following(first ?? ''));
    expect((await nextResult(resumed)).data.eventStream.position).toBe(second);
  });

  it('is open before its headers are sent: what is sent then arrives', async () => {
    const stream = await follow(following('end'));
    const [position] = await sendPurchases(hub.url, 1);
    expect((await nextResult(stream)).data.eventStream.position).toBe(position);
  });

  it('works with graphql-sse', async () => {
    const client = createClient({ url: `${hub.url}/graphql`, retryAttempts: 0 });
    const results = client.iterate<{ eventStream: { userId: string } }>({
      query:
        'subscription ($filter: FeedFilter) { eventStream(after: "start", filter: $filter) { userId } }',
      variables: { filter: { userId: ['b'] } },
    });
    await sendPurchases(hub.url, 1, 'a');
    await sendPurchases(hub.url, 1, 'b');
    expect((await results.next()).value).toEqual({ data: { eventStream: { userId: 'b' } } });
    await results.return?.();
    client.dispose();
  });

  it('refused, says why in its first result and completes', async () => {
    for (const query of [following('nowhere'), 'subscription { nope }']) {
      const stream = await follow(query);
      expect((await nextResult(stream)).errors[0].extensions.code).toBe('invalid');
      expect((await stream.frame('complete')).data).toBe('');
      expect(await stream.next()).toBe(undefined);
    }
  });

  it('ends with the position to resume from when the hub stops', async () => {
    const [first] = await sendPurchases(hub.url, 1);
    const stream = await follow(following('start'));
    await nextResult(stream);
    const stopped = hub.stop();
    const { errors } = await nextResult(stream);
    expect(errors[0].extensions).toMatchObject({ code: 'unavailable', position: first });
    await stream.frame('complete');
    await stopped;
  });

  it('leaves the live feed when its client goes', async () => {
    const stream = await follow(following('end'));
    expect(await subscribers()).toBe(1);
    await stream.close();
    await expect.poll(subscribers).toBe(0);
  });

  it('is kept alive by comments', async () => {
    await hub.remove();
    const everySoon = (ms: number, action: () => void) =>
      systemClock.every(ms === limits.heartbeatMs ? 20 : ms, action);
    hub = await startTestHub({}, { clock: { ...systemClock, every: everySoon } });
    const stream = await follow(following('end'));
    for (let beat = 0; beat < 3; beat += 1) {
      expect(parseFrame((await stream.next()) ?? '')).toEqual({ comment: '' });
    }
  });
});

describe('a query over server-sent events', () => {
  it('is one result', async () => {
    const stream = await follow('{ __typename }');
    expect(await nextResult(stream)).toEqual({ data: { __typename: 'Query' } });
    await stream.frame('complete');
  });
});

describe('a reader that takes nothing', () => {
  it('is cut, and the hub keeps nothing for it', async () => {
    await hub.remove();
    const afterSoon = (ms: number, action: () => void) =>
      systemClock.after(ms === limits.subscriberStallMs ? 200 : ms, action);
    hub = await startTestHub({}, { clock: { ...systemClock, after: afterSoon } });
    const socket = openRaw(hub.url);
    socket.pause();
    const query = new URLSearchParams({
      query: 'subscription { eventStream(after: "start") { userId metadata } }',
    });
    socket.write(`GET /graphql?${query} HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n`);
    await expect.poll(subscribers).toBe(1);
    await sendMuch(hub.url);
    await expect.poll(subscribers).toBe(0);
    socket.destroy();
    expect(await metrics()).toContain('transport="graphql-sse",code="slow_reader"');
  });
});

/** More than any socket buffer holds. */
async function sendMuch(url: string): Promise<void> {
  const metadata = { text: 'x'.repeat(10_000) };
  const inputs = Array.from({ length: 700 }, () => ({
    userId: 'u',
    eventType: 'purchase',
    amount: 1,
    metadata,
  }));
  const query = 'mutation ($inputs: [EventInput!]!) { sendEvents(inputs: $inputs) { rejected } }';
  for (let round = 0; round < 4; round += 1) {
    const body = JSON.stringify({ query, variables: { inputs } });
    const headers = { 'content-type': 'application/json' };
    await (await fetch(`${url}/graphql`, { method: 'POST', headers, body })).text();
  }
}

async function metrics(): Promise<string> {
  return (await fetch(`${hub.url}/metrics`)).text();
}

async function subscribers(): Promise<number> {
  const line = /^event_hub_live_subscribers(?:\{[^}]*\})? (\d+)$/m.exec(await metrics());
  return Number(line?.[1]);
}
