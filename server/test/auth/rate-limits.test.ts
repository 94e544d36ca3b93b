import { request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import type { ServiceError } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { newApiKey } from '../../src/auth/api-key.ts';
import type { Settings } from '../../src/config/settings.ts';
import { run } from '../protocols/graphql/graphql-calls.ts';
import { openSocket } from '../protocols/graphql/test-socket.ts';
import { all, GrpcClient } from '../protocols/grpc/grpc-client.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';
import { anInput, get, postEvents, type RestAnswer } from '../support/rest-calls.ts';
import { signWithSecret } from '../support/signing-key.ts';
import { type KeyedHub, startKeyedHub } from '../support/start-keyed-hub.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { noRateLimit } from '../support/test-settings.ts';
import { goodClaims, tokenSettings, tokensNow } from '../support/token-claims.ts';

const noon = Date.UTC(2026, 5, 30, 12);
let clock: ManualClock;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

type Rates = Partial<Settings['rateLimit']>;

/** Two keys, and time that stands still. */
async function limitedHub(rates: Rates): Promise<KeyedHub<'shop' | 'other'>> {
  clock = manualClock(noon);
  const rateLimit = { ...noRateLimit, ...rates };
  const hub = await startKeyedHub(['shop', 'other'], { rateLimit }, { clock });
  ends.push(() => hub.remove());
  return hub;
}

async function openHub(rates: Rates): Promise<TestHub> {
  clock = manualClock(noon);
  const hub = await startTestHub({ rateLimit: { ...noRateLimit, ...rates } }, { clock });
  ends.push(() => hub.remove());
  return hub;
}

function grpcOf(hub: TestHub): GrpcClient {
  const client = new GrpcClient(hub.grpcAddress);
  ends.push(() => client.close());
  return client;
}

const by = (key: string) => ({ authorization: `Bearer ${key}` });
const list = (hub: TestHub, key: string) => get(hub.url, '/events', by(key));

/** A request of each kind: its error's code and the seconds until a retry. */
type Outcome = readonly [code: string | undefined, retryAfterS?: number | undefined];
type Ask = (hub: TestHub, key: string) => Promise<Outcome>;

const restOutcome = ({ status, json, headers }: RestAnswer): Outcome =>
  status < 400 ? [undefined] : [json.code, Number(headers.get('retry-after'))];

const graphqlOutcome = ({ errors, headers }: Awaited<ReturnType<typeof run>>): Outcome => {
  const [error] = errors;
  if (error === undefined) return [undefined];
  expect(headers.get('retry-after')).toBe(String(error.extensions.retryAfter));
  return [error.extensions.code, error.extensions.retryAfter];
};

const grpcOutcome = async (
  client: GrpcClient,
  calling: (client: GrpcClient) => Promise<unknown>,
): Promise<Outcome> => {
  try {
    await calling(client);
    return [undefined];
  } catch (reason) {
    const failure = client.read(reason as ServiceError);
    expect(failure.code).toBe(8);
    return [failure.reason, failure.retryDelay];
  }
};

const withGrpc =
  (calling: (client: GrpcClient, options: object) => Promise<unknown>): Ask =>
  (hub, key) =>
    grpcOutcome(grpcOf(hub), (client) => calling(client, { metadata: by(key) }));

const requests: Readonly<Record<string, Ask>> = {
  'a listing over REST': async (hub, key) => restOutcome(await list(hub, key)),
  'an event over REST': async (hub, key) =>
    restOutcome(await postEvents(hub.url, anInput(), by(key))),
  'an event over REST that is none': async (hub, key) => {
    const [code, retryAfterS] = restOutcome(await postEvents(hub.url, '{', by(key)));
    return code === 'unreadable' ? [undefined] : [code, retryAfterS];
  },
  'a stream over REST': async (hub, key) =>
    restOutcome(await get(hub.url, '/events/stream?follow=false', by(key))),
  'the metrics page': async (hub, key) => restOutcome(await get(hub.url, '/metrics', by(key))),
  'a GraphQL query': async (hub, key) =>
    graphqlOutcome(await run(hub.url, '{ lastEvents { id } }', {}, by(key))),
  'a call of gRPC': withGrpc((client, options) => client.call('ListEvents', {}, options)),
  'a stream over gRPC': withGrpc((client, options) =>
    all(client.stream('StreamEvents', { after: 'start' }, options)),
  ),
  'an ingest stream over gRPC': withGrpc((client, options) => {
    const stream = client.duplex('SendEvents', options);
    stream.end();
    return all(stream);
  }),
};

/** The socket once it is acknowledged; else how it was closed. */
async function greeted(hub: TestHub, key: string) {
  const socket = await openSocket(hub.url);
  ends.push(() => socket.socket.terminate());
  socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
  const first = await Promise.race([socket.next().catch(() => undefined), socket.closed]);
  if (first?.type === 'connection_ack') return socket;
  const { code } = await socket.closed;
  return `closed ${code}`;
}

describe('requests of an account', () => {
  it.each(Object.entries(requests))(
    'are limited, the next is taken when the refusal says so, and another key never notices: %s',
    async (_, ask) => {
      const hub = await limitedHub({ accountRequests: 1, burstMs: 3_000 });
      const { shop, other } = hub.keys;
      for (let asked = 0; asked < 3; asked += 1) expect(await ask(hub, shop)).toEqual([undefined]);
      expect(await ask(hub, shop)).toEqual(['rate_limited', 1]);
      expect(await ask(hub, other)).toEqual([undefined]);
      await clock.advance(999);
      expect(await ask(hub, shop)).toEqual(['rate_limited', 1]);
      await clock.advance(1);
      expect(await ask(hub, shop)).toEqual([undefined]);
      expect(await ask(hub, shop)).toEqual(['rate_limited', 1]);
    },
  );

  it('are counted over all protocols together', async () => {
    const hub = await limitedHub({ accountRequests: 1, burstMs: 60_000 });
    const kinds = Object.values(requests);
    for (let asked = 0; asked < 60; asked += 1) {
      const ask = kinds[asked % kinds.length];
      expect(await ask?.(hub, hub.keys.shop)).toEqual([undefined]);
    }
    for (const ask of kinds) expect(await ask(hub, hub.keys.shop)).toEqual(['rate_limited', 1]);
  });

  it('are counted over all tokens of one subject, and over one of another apart', async () => {
    clock = manualClock(tokensNow);
    const secret = 'a secret of at least thirty-two bytes';
    const hub = await startTestHub(
      {
        auth: { tokens: { ...tokenSettings, keys: { kind: 'secret', secret } } },
        rateLimit: { ...noRateLimit, accountRequests: 1, burstMs: 2_000 },
      },
      { clock },
    );
    ends.push(() => hub.remove());
    const token = (sub: string, jti: string) =>
      signWithSecret(secret, goodClaims({ sub, jti, scope: 'events:read' }));
    const ask = async (sub: string, jti: string) => (await list(hub, token(sub, jti))).status;
    expect([await ask('till-7', 'a'), await ask('till-7', 'b')]).toEqual([200, 200]);
    expect(await ask('till-7', 'c')).toBe(429);
    expect(await ask('till-8', 'd')).toBe(200);
  });

  it('are the operations of a WebSocket too, beside its greeting', async () => {
    const hub = await limitedHub({ accountRequests: 1, burstMs: 3_000 });
    const socket = await greeted(hub, hub.keys.shop);
    if (typeof socket === 'string') throw new Error(socket);
    const operate = async (id: string) => {
      socket.send({ id, type: 'subscribe', payload: { query: '{ __typename }' } });
      const { type, payload } = await socket.next();
      if (type === 'next') await socket.next();
      return type === 'next' ? undefined : payload[0].extensions;
    };
    expect(await operate('a')).toBeUndefined();
    expect(await operate('b')).toBeUndefined();
    expect(await operate('c')).toEqual({ code: 'rate_limited', retryAfter: 1 });
    await clock.advance(1_000);
    expect(await operate('d')).toBeUndefined();
    expect(await greeted(hub, hub.keys.shop)).toBe('closed 1013');
    expect(await greeted(hub, hub.keys.other)).not.toBe('closed 1013');
  });

  it('leave the health checks and the pages open', async () => {
    const hub = await limitedHub({ accountRequests: 1, addressRequests: 1, burstMs: 1_000 });
    expect((await list(hub, hub.keys.shop)).status).toBe(200);
    expect((await list(hub, hub.keys.shop)).status).toBe(429);
    for (const path of ['/livez', '/readyz', '/docs', '/openapi.json']) {
      expect((await get(hub.url, path)).status, path).toBe(200);
    }
    expect(await grpcOf(hub).call('/grpc.health.v1.Health/Check')).toEqual({ status: 1 });
  });
});

describe('requests from an address', () => {
  it('are limited before anything is made of their credential', async () => {
    const hub = await limitedHub({ addressRequests: 1, burstMs: 3_000 });
    for (let guesses = 0; guesses < 3; guesses += 1) {
      expect((await list(hub, newApiKey().text)).status).toBe(401);
    }
    for (const credential of [newApiKey().text, 'nonsense', hub.keys.shop]) {
      const { status, headers } = await list(hub, credential);
      expect([status, headers.get('retry-after')]).toEqual([429, '1']);
    }
    expect(await grpcOutcome(grpcOf(hub), (client) => client.call('ListEvents'))).toEqual([
      'rate_limited',
      1,
    ]);
    await clock.advance(1_000);
    expect((await list(hub, hub.keys.shop)).status).toBe(200);
  });

  it('are limited over all keys together', async () => {
    const hub = await limitedHub({ addressRequests: 1, burstMs: 2_000 });
    expect((await list(hub, hub.keys.shop)).status).toBe(200);
    expect((await list(hub, hub.keys.other)).status).toBe(200);
    expect((await list(hub, hub.keys.shop)).status).toBe(429);
  });

  it('are what limits who has no credential, each address for itself', async () => {
    const hub = await openHub({ addressRequests: 1, accountRequests: 1, burstMs: 2_000 });
    const statuses = async (localAddress: string) => {
      const found: (number | undefined)[] = [];
      for (let asked = 0; asked < 3; asked += 1) {
        found.push((await getFrom(localAddress, `${hub.url}/events`)).status);
      }
      return found;
    };
    expect(await statuses('127.0.0.1')).toEqual([200, 200, 429]);
    expect(await statuses('127.0.0.2')).toEqual([200, 200, 429]);
  });

  it('are as many as come where only accounts are limited', async () => {
    const hub = await openHub({ accountRequests: 1, accountEvents: 1, burstMs: 1_000 });
    for (let asked = 0; asked < 10; asked += 1) {
      expect((await postEvents(hub.url, anInput())).status).toBe(201);
    }
  });
});

/** One event or several, over each protocol: what it was refused with. */
const sendings: Readonly<
  Record<string, (hub: TestHub, key: string, n: number) => Promise<Outcome>>
> = {
  'a batch over REST': async (hub, key, n) =>
    restOutcome(await postEvents(hub.url, batchOf(n), by(key))),
  'lines over REST': async (hub, key, n) => {
    const lines = batchOf(n).map((each) => `${JSON.stringify(each)}\n`);
    const headers = { ...by(key), 'content-type': 'application/x-ndjson' };
    return restOutcome(await postEvents(hub.url, lines.join(''), headers));
  },
  'a GraphQL mutation': async (hub, key, n) => {
    const inputs = batchOf(n).map(({ id, amount }) => ({
      id,
      amount,
      userId: 'u1',
      eventType: 'purchase',
    }));
    const mutation =
      'mutation ($inputs: [EventInput!]!) { sendEvents(inputs: $inputs) { accepted } }';
    return graphqlOutcome(await run(hub.url, mutation, { inputs }, by(key)));
  },
  'a batch over gRPC': (hub, key, n) =>
    withGrpc((client, options) =>
      client.call('SendEventBatch', { events: messagesOf(n) }, options),
    )(hub, key),
};

const batchOf = (n: number) => Array.from({ length: n }, () => anInput());
const messagesOf = (n: number) => batchOf(n).map((each) => ({ ...each, amount: 1 }));

describe('events of an account', () => {
  it.each(Object.entries(sendings))(
    'are limited by their number, and nothing of a refused call is stored: %s',
    async (_, send) => {
      const hub = await limitedHub({ accountEvents: 2, burstMs: 5_000 });
      const { shop, other } = hub.keys;
      const stored = async () => (await list(hub, shop)).json.events.length;
      expect(await send(hub, shop, 8)).toEqual([undefined]);
      expect(await send(hub, shop, 5)).toEqual(['rate_limited', 2]);
      expect(await stored()).toBe(8);
      expect(await send(hub, shop, 2)).toEqual([undefined]);
      expect(await send(hub, other, 10)).toEqual([undefined]);
      expect(await send(hub, shop, 5)).toEqual(['rate_limited', 3]);
      await clock.advance(2_499);
      expect(await send(hub, shop, 5)).toEqual(['rate_limited', 1]);
      await clock.advance(1);
      expect(await send(hub, shop, 5)).toEqual([undefined]);
      expect(await stored()).toBe(25);
    },
  );

  it('come in a larger batch than the burst when nothing else was sent, and are paid for after it', async () => {
    const hub = await limitedHub({ accountEvents: 10, burstMs: 2_000 });
    const send = (n: number) => sendings['a batch over REST']?.(hub, hub.keys.shop, n);
    expect(await send(100)).toEqual([undefined]);
    expect(await send(1)).toEqual(['rate_limited', 9]);
    expect(await send(100)).toEqual(['rate_limited', 10]);
    await clock.advance(9_000);
    expect(await send(10)).toEqual([undefined]);
    expect(await send(100)).toEqual(['rate_limited', 2]);
    await clock.advance(2_000);
    expect(await send(100)).toEqual([undefined]);
  });

  it('are answered one by one on an ingest stream, which goes on', async () => {
    const hub = await limitedHub({ accountEvents: 1, burstMs: 3_000 });
    const stream = grpcOf(hub).duplex('SendEvents', { metadata: by(hub.keys.shop) });
    const answers = stream[Symbol.asyncIterator]();
    const send = async () => {
      stream.write(messagesOf(1)[0] ?? {});
      const { status, code, event_id } = (await answers.next()).value ?? {};
      expect(event_id).toMatch(/^input-/);
      return code === undefined || code === '' ? status : code;
    };
    expect([await send(), await send(), await send()]).toEqual(Array(3).fill('success'));
    expect([await send(), await send()]).toEqual(Array(2).fill('rate_limited'));
    await clock.advance(1_000);
    expect([await send(), await send()]).toEqual(['success', 'rate_limited']);
    stream.end();
    expect((await answers.next()).done).toBe(true);
    expect((await list(hub, hub.keys.shop)).json.events).toHaveLength(4);
  });

  it('are counted from an address too, over all its keys', async () => {
    const hub = await limitedHub({ addressEvents: 1, burstMs: 4_000 });
    const send = (key: string, n: number) => sendings['a batch over gRPC']?.(hub, key, n);
    expect(await send(hub.keys.shop, 2)).toEqual([undefined]);
    expect(await send(hub.keys.other, 2)).toEqual([undefined]);
    expect(await send(hub.keys.other, 2)).toEqual(['rate_limited', 2]);
  });

  it('take nothing from the one limit when the other refuses', async () => {
    const hub = await limitedHub({ accountEvents: 1, addressEvents: 2, burstMs: 2_000 });
    const send = (key: string, n: number) => sendings['a batch over REST']?.(hub, key, n);
    expect(await send(hub.keys.shop, 2)).toEqual([undefined]);
    for (let tries = 0; tries < 5; tries += 1) {
      expect(await send(hub.keys.shop, 2)).toEqual(['rate_limited', 2]);
    }
    expect(await send(hub.keys.other, 2)).toEqual([undefined]);
  });
});

describe('the headers of answers', () => {
  it('name each limit, what is left of it and when nothing of it is used', async () => {
    const hub = await limitedHub({
      accountRequests: 2,
      accountEvents: 10,
      addressRequests: 3,
      addressEvents: 20,
      burstMs: 5_000,
    });
    const first = await postEvents(hub.url, batchOf(25), by(hub.keys.shop));
    expect(first.status).toBe(201);
    expect(first.headers.get('ratelimit-policy')).toBe(
      '"account-requests";q=10;w=5, "address-requests";q=15;w=5, "account-events";q=50;w=5;qu="events", "address-events";q=100;w=5;qu="events"',
    );
    expect(first.headers.get('ratelimit')).toBe(
      '"account-requests";r=9;t=1, "address-requests";r=14;t=1, "account-events";r=25;t=3, "address-events";r=75;t=2',
    );
  });

  it('are true: so many more are taken, and all of them again after that time', async () => {
    const hub = await limitedHub({ accountRequests: 2, burstMs: 3_000 });
    const ask = async () => {
      const { status, headers } = await list(hub, hub.keys.shop);
      const { q, w, r, t = 0 } = limitsIn(headers)['account-requests'] ?? {};
      return { status, q, w, r, t };
    };
    expect(await ask()).toEqual({ status: 200, q: 6, w: 3, r: 5, t: 1 });
    for (let left = 4; left >= 0; left -= 1) {
      expect(await ask()).toMatchObject({ status: 200, r: left });
    }
    const refused = await ask();
    expect(refused).toEqual({ status: 429, q: 6, w: 3, r: 0, t: 3 });
    await clock.advance(refused.t * 1_000);
    for (let left = 5; left >= 0; left -= 1) {
      expect(await ask()).toMatchObject({ status: 200, r: left });
    }
    expect(await ask()).toMatchObject({ status: 429, r: 0 });
  });

  it('stand on every answer to who was asked for: refusals, streams, GraphQL and all forms of success', async () => {
    const hub = await limitedHub({ accountRequests: 50, burstMs: 1_000 });
    const answers = [
      await postEvents(hub.url, anInput({ id: 'same' }), by(hub.keys.shop)),
      await postEvents(hub.url, anInput({ id: 'same' }), by(hub.keys.shop)),
      await postEvents(hub.url, anInput({ id: 'same', amount: '2' }), by(hub.keys.shop)),
      await postEvents(hub.url, anInput({ amount: '-1' }), by(hub.keys.shop)),
      await postEvents(hub.url, '{', by(hub.keys.shop)),
      await get(hub.url, '/events/none', by(hub.keys.shop)),
      await get(hub.url, '/events/stream?follow=false', by(hub.keys.shop)),
      await get(hub.url, '/metrics', by(hub.keys.shop)),
      await run(hub.url, '{ __typename }', {}, by(hub.keys.shop)),
      await run(hub.url, '{ nothing }', {}, by(hub.keys.shop)),
    ];
    expect(answers.map(({ status }) => status)).toEqual([
      201, 200, 409, 422, 400, 404, 200, 200, 200, 400,
    ]);
    for (const [at, { headers }] of answers.entries()) {
      expect(limitsIn(headers)['account-requests']).toMatchObject({ q: 50, w: 1, r: 49 - at });
    }
  });

  it('tell who has no valid credential of its address only', async () => {
    const hub = await limitedHub({ accountRequests: 5, addressRequests: 5 });
    const { status, headers } = await list(hub, newApiKey().text);
    expect(status).toBe(401);
    expect(Object.keys(limitsIn(headers))).toEqual(['address-requests']);
  });

  it('are not there where nothing is limited', async () => {
    const hub = await limitedHub({});
    const answers = [
      await list(hub, hub.keys.shop),
      await postEvents(hub.url, anInput(), by(hub.keys.shop)),
      await list(hub, newApiKey().text),
    ];
    for (const { headers } of answers) {
      expect([...headers.keys()].filter((name) => name.startsWith('ratelimit'))).toEqual([]);
    }
  });
});

it('says on the metrics page what was refused, without naming anybody', async () => {
  const hub = await limitedHub({ accountEvents: 1, addressRequests: 10, burstMs: 1_000 });
  await postEvents(hub.url, anInput(), by(hub.keys.shop));
  await postEvents(hub.url, anInput(), by(hub.keys.shop));
  for (let asked = 0; asked < 11; asked += 1) await list(hub, hub.keys.other);
  await clock.advance(1_000);
  const { text } = await get(hub.url, '/metrics', by(hub.keys.shop));
  expect(
    text.split('\n').filter((line) => line.startsWith('event_hub_rate_limited_total')),
  ).toEqual([
    'event_hub_rate_limited_total{by="account",unit="events"} 1',
    'event_hub_rate_limited_total{by="address",unit="requests"} 3',
  ]);
});

/** Of `"name";q=1;w=2` and `"name";r=1;t=2`, structured fields with integer parameters. */
function limitsIn(headers: Headers): Record<string, Record<string, number>> {
  const found: Record<string, Record<string, number>> = {};
  for (const name of ['ratelimit-policy', 'ratelimit']) {
    const members = headers.get(name)?.split(', ') ?? [];
    for (const member of members) {
      expect(member).toMatch(/^"[a-z-]+"(;[a-z]+=(\d+|"[a-z]+"))+$/);
      const [key = '', ...parameters] = member.split(';');
      const numbers = parameters.map((each) => each.split('=')).filter(([p]) => p !== 'qu');
      const values = Object.fromEntries(numbers.map(([p, value]) => [p, Number(value)]));
      const limit = key.replaceAll('"', '');
      found[limit] = { ...found[limit], ...values };
    }
  }
  return found;
}

/** A request that leaves from another address of this machine. */
function getFrom(
  localAddress: string,
  url: string,
): Promise<{ readonly status: number | undefined; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { localAddress, agent: false }, (response) => {
      textOf(response).then((text) => resolve({ status: response.statusCode, text }), reject);
    });
    asking.on('error', reject);
    asking.end();
  });
}
