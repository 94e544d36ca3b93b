import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createClient } from 'graphql-ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { limits } from '../../../src/base/limits.ts';
import { holdRequest } from '../../../src/base/request-memory.ts';
import { hurriedClock } from '../../support/hurried-clock.ts';
import { openRaw } from '../../support/raw-http.ts';
import { anInput, get, postEvents } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { sendEvent, sendPurchases } from './graphql-calls.ts';
import { openSocket, type TestSocket } from './test-socket.ts';

let hub: TestHub;
let sockets: TestSocket[];
beforeEach(async () => {
  hub = await startTestHub();
  sockets = [];
});
afterEach(async () => {
  for (const each of sockets) each.socket.terminate();
  await hub.remove();
});

async function open(options: object = {}): Promise<TestSocket> {
  const socket = await openSocket(hub.url, options);
  sockets.push(socket);
  return socket;
}

async function ready(): Promise<TestSocket> {
  const socket = await open();
  socket.send({ type: 'connection_init' });
  expect(await socket.next()).toEqual({ type: 'connection_ack' });
  return socket;
}

/** The same hub with some of its waits made short. */
async function restartWith(shortMs: Readonly<Record<number, number>>): Promise<void> {
  await hub.remove();
  hub = await startTestHub({}, { clock: hurriedClock(shortMs) });
}

const following =
  'subscription ($after: String) { eventStream(after: $after) { userId position } }';
const subscribe = (id: string, query: string, variables?: object) => ({
  id,
  type: 'subscribe',
  payload: { query, variables },
});

describe('operations on one WebSocket', () => {
  const stored = async () =>
    (await get(hub.url, '/events?limit=1000&user_id=anna')).json.events.length;
  const input = { userId: 'anna', eventType: 'purchase', amount: '1' };
  const sendOne = (id: string) => subscribe(id, sendEvent, { input });

  it('run a few at once, the others when those are done, all of them answered', async () => {
    const socket = await ready();
    const ids = Array.from({ length: 40 }, (_, at) => `op-${at}`);
    for (const id of ids) socket.send(sendOne(id));
    const completed: string[] = [];
    while (completed.length < ids.length) {
      const { type, id } = await socket.next();
      if (type === 'complete') completed.push(id);
    }
    expect(completed.toSorted()).toEqual(ids.toSorted());
    expect(await stored()).toBe(ids.length);
  });

  it('do not begin while their client reads no answers, and go on when it does', async () => {
    // Together more than the kernel takes for a client that does not read.
    const note = 'x'.repeat(15_000);
    for (let from = 0; from < 1_000; from += 250) {
      const events = Array.from({ length: 250 }, () =>
        anInput({ user_id: 'bert', metadata: { note } }),
      );
      expect((await postEvents(hub.url, events)).status).toBe(201);
    }
    const large = '{ lastEvents(limit: 1000, userId: "bert") { metadata } }';
    const socket = await ready();
    socket.socket.pause();
    for (let at = 0; at < limits.websocketOperationsAtOnce; at += 1) {
      socket.send(subscribe(`large-${at}`, large));
    }
    const ids = ['a', 'b', 'c'];
    for (const id of ids) socket.send(sendOne(id));
    // Asked for later, and on a connection that is read.
    const other = await ready();
    other.send(subscribe('later', large));
    expect(await other.next()).toMatchObject({ type: 'next', id: 'later' });
    expect(await stored()).toBe(0);
    socket.socket.resume();
    await expect.poll(stored).toBe(ids.length);
  });
});

describe('an operation on a WebSocket', () => {
  it.each([
    [
      '30 levels',
      `{ events { edges { ${'node { '.repeat(30)}id${' }'.repeat(30)} } } }`,
      'too_deep',
    ],
    ['500 aliases', `{ ${'a: __typename '.repeat(500)} }`, 'too_many_aliases'],
    [
      '100 directives',
      `{ __typename ${'@include(if: true) '.repeat(100)} }`,
      'too_many_directives',
    ],
    ['ten full pages', `{ ${'a: lastEvents(limit: 1000) { id } '.repeat(10)} }`, 'too_costly'],
    ['fragments in a circle', '{ ...A } fragment A on Query { ...A }', 'fragment_cycle'],
    ['10,000 tokens', `{ ${'__typename '.repeat(10_000)} }`, undefined],
  ])('is refused for what HTTP refuses: %s', async (_, query, fault) => {
    const socket = await ready();
    socket.send(subscribe('a', query));
    const { type, id, payload } = await socket.next();
    expect([type, id]).toEqual(['error', 'a']);
    const { code, errors } = payload[0].extensions;
    expect(code).toBe(fault === undefined ? 'unreadable' : 'invalid');
    expect(errors?.[0].code).toBe(fault);
    socket.send(subscribe('b', '{ __typename }'));
    expect(await socket.next()).toMatchObject({ type: 'next', id: 'b' });
  });
});

describe('a WebSocket', () => {
  it('carries queries, mutations and subscriptions', async () => {
    const client = createClient({
      url: `${hub.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    const results = client.iterate({ query: following, variables: { after: 'start' } });
    const one = client.iterate({
      query: sendEvent,
      variables: { input: { userId: 'ws', eventType: 'refund', amount: '1.5' } },
    });
    const sent = (await one.next()).value as { data: { sendEvent: { position: string } } };
    const { position } = sent.data.sendEvent;
    expect((await results.next()).value).toEqual({
      data: { eventStream: { userId: 'ws', position } },
    });
    const read = client.iterate({ query: '{ lastEvents { userId } }' });
    expect((await read.next()).value).toEqual({ data: { lastEvents: [{ userId: 'ws' }] } });
    await results.return?.();
    await client.dispose();
  });

  it('keeps amounts exact and refuses what is unreadable by the id of its operation', async () => {
    const socket = await ready();
    const message = JSON.stringify(
      subscribe('1', sendEvent, { input: { userId: 'u', eventType: 'purchase', amount: 'X' } }),
    );
    socket.socket.send(message.replace('"X"', '0.12345678901234567'));
    const refused = await socket.next();
    expect(refused).toMatchObject({
      id: '1',
      type: 'next',
      payload: {
        data: null,
        errors: [{ extensions: { code: 'invalid', errors: [{ pointer: '/input/amount' }] } }],
      },
    });
    expect(await socket.next()).toEqual({ id: '1', type: 'complete' });
    socket.socket.send(message.replace('"X"', '1,"amount":100'));
    expect(await socket.next()).toMatchObject({
      id: '1',
      type: 'error',
      payload: [{ extensions: { code: 'unreadable', errors: [{ code: 'duplicate_key' }] } }],
    });
  });

  it('answers a refused operation with an error that has its code', async () => {
    const socket = await ready();
    for (const [query, code] of [
      ['{ nope }', 'invalid'],
      ['{ a ', 'unreadable'],
      ['subscription { eventStream(after: "nowhere") { id } }', 'invalid'],
      ['{ lastEvents(limit: 1) { id } } query B { __typename }', 'invalid'],
    ] as const) {
      socket.send(subscribe('1', query));
      const answer = await socket.next();
      const errors = answer.type === 'error' ? answer.payload : answer.payload.errors;
      expect(errors[0].extensions.code).toBe(code);
      if (answer.type === 'next') expect((await socket.next()).type).toBe('complete');
    }
  });

  it('ends a subscription on complete, also one that waits for an event', async () => {
    const socket = await ready();
    socket.send(subscribe('1', following, { after: 'end' }));
    await expect.poll(subscribers).toBe(1);
    socket.send({ id: '1', type: 'complete' });
    await expect.poll(subscribers).toBe(0);
    socket.send({ type: 'ping' });
    expect(await socket.next()).toEqual({ type: 'pong' });
  });

  it('leaves the live feed when its client goes', async () => {
    const socket = await ready();
    socket.send(subscribe('1', following));
    socket.send(subscribe('2', following));
    await expect.poll(subscribers).toBe(2);
    socket.socket.terminate();
    await expect.poll(subscribers).toBe(0);
  });

  it('runs fifty operations, and refuses the next', async () => {
    const socket = await ready();
    for (let id = 1; id <= 51; id += 1) socket.send(subscribe(String(id), following));
    expect(await socket.next()).toMatchObject({
      id: '51',
      type: 'error',
      payload: [{ extensions: { code: 'rate_limited' } }],
    });
    expect(socket.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('says when the hub stops, with the position, and closes', async () => {
    const [position] = await sendPurchases(hub.url, 1);
    const socket = await ready();
    socket.send(subscribe('1', following, { after: 'start' }));
    expect((await socket.next()).payload.data.eventStream.position).toBe(position);
    const stopped = hub.stop();
    expect(await socket.next()).toMatchObject({
      id: '1',
      type: 'error',
      payload: [{ extensions: { code: 'unavailable', position } }],
    });
    expect((await socket.closed).code).toBe(1001);
    await stopped;
  });
});

describe('a long message', () => {
  /** The message with blanks to as many bytes, which mean nothing in JSON. */
  const long = (message: object, bytes: number) => JSON.stringify(message).padEnd(bytes);

  it('is taken once its caller is known', async () => {
    const socket = await ready();
    socket.socket.send(long(subscribe('1', '{ __typename }'), limits.websocketPayloadBytes));
    expect(await socket.next()).toMatchObject({ type: 'next', id: '1' });
  });

  it('is refused as overloaded while other long requests take the memory', async () => {
    const socket = await ready();
    const message = long(subscribe('1', '{ __typename }'), limits.shortRequestBytes + 1);
    const release = holdRequest(limits.requestsHeldBytes);
    try {
      socket.socket.send(message);
      expect(await socket.next()).toMatchObject({
        id: '1',
        type: 'error',
        payload: [{ extensions: { code: 'overloaded' } }],
      });
      socket.socket.send(message.slice(0, limits.shortRequestBytes));
      expect(await socket.next()).toMatchObject({ type: 'next', id: '1' });
      expect(await socket.next()).toEqual({ type: 'complete', id: '1' });
    } finally {
      release();
    }
    socket.socket.send(message);
    expect(await socket.next()).toMatchObject({ type: 'next', id: '1' });
  });

  it('takes no memory from others when it is answered, or its subscription has begun', async () => {
    const socket = await ready();
    const atOnce = Math.floor(limits.requestsHeldBytes / limits.websocketPayloadBytes);
    for (let id = 1; id <= atOnce + 1; id += 1) {
      const message = subscribe(String(id), following, { after: 'end' });
      socket.socket.send(long(message, limits.websocketPayloadBytes));
      await expect.poll(subscribers).toBe(id);
      socket.socket.send(long(subscribe('q', '{ __typename }'), limits.websocketPayloadBytes));
      expect(await socket.next()).toMatchObject({ type: 'next', id: 'q' });
      expect(await socket.next()).toEqual({ type: 'complete', id: 'q' });
    }
  });
});

describe('a WebSocket whose caller is not known yet', () => {
  const excess = limits.websocketGreetingBytes + 1;
  it('is closed with 1009 for more than a greeting, in whatever it comes', async () => {
    const sends: ((socket: WebSocket) => void)[] = [
      (socket) => socket.send('x'.repeat(limits.websocketPayloadBytes)),
      (socket) => socket.send('x'.repeat(excess), { fin: false }),
      (socket) => {
        for (let sent = 0; sent < excess; sent += 100) socket.pong('x'.repeat(100));
      },
    ];
    const codes = sends.map(async (send) => {
      const { socket, closed } = await open();
      socket.on('error', () => undefined);
      send(socket);
      return (await closed).code;
    });
    expect(await Promise.all(codes)).toEqual([1009, 1009, 1009]);
  });

  it('may send as much as the headers of a request in its greeting', async () => {
    const socket = await open();
    const payload = { text: 'x'.repeat(limits.websocketGreetingBytes - 100) };
    socket.send({ type: 'connection_init', payload });
    expect(await socket.next()).toEqual({ type: 'connection_ack' });
  });

  it('is cut when it does not answer the close', async () => {
    const sends: ((connection: Socket) => void)[] = [
      () => undefined,
      (connection) => connection.write(masked(JSON.stringify(subscribe('1', '{ __typename }')))),
      (connection) => connection.write(masked('x'.repeat(excess))),
    ];
    const cuts = sends.map(async (send) => {
      const connection = openRaw(hub.url);
      connection.write(upgradeRequest);
      await once(connection, 'data');
      // From here on it reads what comes, and answers nothing.
      connection.resume();
      send(connection);
      await new Promise((resolve) => connection.once('close', resolve));
    });
    await Promise.all(cuts);
    // ws alone would keep them for 30 s.
  }, 29_000);
});

const upgradeRequest = [
  'GET /graphql HTTP/1.1',
  'Host: hub',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: graphql-transport-ws',
  '\r\n',
].join('\r\n');

/** A frame of text as a client sends it, with a mask of zeros. */
function masked(text: string): Buffer {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length])
      : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

describe('a WebSocket that breaks the protocol', () => {
  it('is closed when it does not speak graphql-transport-ws', async () => {
    expect((await (await open({ protocols: [] })).closed).code).toBe(4406);
  });

  it.each([
    ['an operation before connection_init', 4401, [subscribe('1', '{ __typename }')]],
    ['two times connection_init', 4429, [{ type: 'connection_init' }, { type: 'connection_init' }]],
    ['an unknown message', 4400, [{ type: 'hello' }]],
    ['no JSON', 4400, ['{']],
    ['an operation without an id', 4400, [{ type: 'connection_init' }, { type: 'subscribe' }]],
  ])('by %s is closed with %d', async (_, code, messages) => {
    const socket = await open();
    for (const message of messages) {
      if (typeof message === 'string') socket.socket.send(message);
      else socket.send(message);
    }
    expect((await socket.closed).code).toBe(code);
  });

  it('by one id twice is closed with 4409', async () => {
    const socket = await ready();
    socket.send(subscribe('1', following));
    socket.send(subscribe('1', following));
    expect((await socket.closed).code).toBe(4409);
  });

  it('by a message beyond 8 MiB is closed with 1009', async () => {
    const socket = await ready();
    socket.socket.on('error', () => undefined);
    socket.socket.send('x'.repeat(limits.websocketPayloadBytes + 1));
    expect((await socket.closed).code).toBe(1009);
  });

  it('by a message in endless fragments is closed with 1008', async () => {
    const socket = await ready();
    for (let fragment = 0; fragment <= limits.websocketFragments; fragment += 1) {
      socket.socket.send(' ', { fin: false });
    }
    expect((await socket.closed).code).toBe(1008);
  });

  it('by silence is closed with 4408', async () => {
    expect((await (await open()).closed).code).toBe(4408);
  });

  it('by not answering pings is cut', async () => {
    await restartWith({ [limits.heartbeatMs]: 30 });
    const socket = await open({ autoPong: false });
    socket.send({ type: 'connection_init' });
    expect((await socket.closed).code).toBe(1006);
  });
});

describe('a page of another origin', () => {
  it.each(['http://evil.example', 'null', 'http://127.0.0.1:1'])(
    'cannot open a WebSocket: %s',
    async (origin) => {
      const socket = new WebSocket(`${hub.url}/graphql`, 'graphql-transport-ws', { origin });
      const [, response] = await once(socket, 'unexpected-response');
      expect(response.statusCode).toBe(403);
      socket.on('error', () => undefined);
      socket.terminate();
    },
  );

  it('is told from a page of the hub', async () => {
    const socket = await open({ origin: hub.url });
    socket.send({ type: 'connection_init' });
    expect(await socket.next()).toEqual({ type: 'connection_ack' });
  });
});

describe('a WebSocket that is not read', () => {
  it('ends its subscription with slow_reader and the position, and is closed', async () => {
    await restartWith({ [limits.subscriberStallMs]: 500 });
    const socket = await ready();
    socket.socket.pause();
    const query = 'subscription { eventStream(after: "start") { position metadata } }';
    socket.send(subscribe('1', query));
    await expect.poll(subscribers).toBe(1);
    const positions = await sendMuch();
    await expect.poll(subscribers).toBe(0);
    socket.socket.resume();
    const seen: string[] = [];
    let last = await socket.next();
    for (; last.type === 'next'; last = await socket.next()) {
      seen.push(last.payload.data.eventStream.position);
    }
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).toEqual(positions.slice(0, seen.length));
    expect(last).toMatchObject({
      id: '1',
      type: 'error',
      payload: [{ extensions: { code: 'slow_reader', position: seen.at(-1) } }],
    });
    expect((await socket.closed).code).toBe(1013);
  });
});

/** More than any socket buffer holds; the positions. */
async function sendMuch(): Promise<string[]> {
  const metadata = { text: 'x'.repeat(15_000) };
  const inputs = Array.from({ length: 500 }, () => ({
    userId: 'u',
    eventType: 'purchase',
    amount: 1,
    metadata,
  }));
  const query =
    'mutation ($inputs: [EventInput!]!) { sendEvents(inputs: $inputs) { results { position } } }';
  const body = JSON.stringify({ query, variables: { inputs } });
  const headers = { 'content-type': 'application/json' };
  const positions: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    const response = await fetch(`${hub.url}/graphql`, { method: 'POST', headers, body });
    const { data } = (await response.json()) as {
      data: { sendEvents: { results: { position: string }[] } };
    };
    positions.push(...data.sendEvents.results.map(({ position }) => position));
  }
  return positions;
}

async function subscribers(): Promise<number> {
  const text = await (await fetch(`${hub.url}/metrics`)).text();
  return Number(/^event_hub_live_subscribers(?:\{[^}]*\})? (\d+)$/m.exec(text)?.[1]);
}
