import { once } from 'node:events';
import { request } from 'node:http';
import { type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StreamSlots } from '../../src/auth/stream-slots.ts';
import { nobody } from '../../src/auth/caller.ts';
import { limits } from '../../src/base/limits.ts';
import { createTelemetry } from '../../src/base/telemetry.ts';
import { openSocket } from '../protocols/graphql/test-socket.ts';
import { GrpcClient, take } from '../protocols/grpc/grpc-client.ts';
import { field, framed, openCall } from '../protocols/grpc/raw-call.ts';
import { openStream } from '../support/read-stream.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { type KeyedHub, startKeyedHub } from '../support/start-keyed-hub.ts';
import { startTestHub } from '../support/start-test-hub.ts';

const perAccount = 2;
let hub: KeyedHub<'shop' | 'other'>;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const by = (key: string) => ({ authorization: `Bearer ${key}` });
const subscription = 'subscription { eventStream(after: "start") { id } }';

/** A stream that has begun, and the client's ways to leave; or the code that it was refused with. */
type Opened = { readonly leave: () => unknown; readonly breakOff: () => unknown } | string;
type Open = (key: string) => Promise<Opened>;

/** The bytes of a request on a connection that can be cut at once, without a word. */
function raw(path: string, accept: string): Open {
  return async (key) => {
    const { hostname, port } = new URL(hub.url);
    const socket = connect(Number(port), hostname);
    ends.push(() => socket.destroy());
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: hub\r\naccept: ${accept}\r\nauthorization: Bearer ${key}\r\n\r\n`,
    );
    const text = await readUntil(socket, /\r\n\r\n.*\n/s);
    if (text.startsWith('HTTP/1.1 200')) {
      return { leave: () => socket.end(), breakOff: () => socket.resetAndDestroy() };
    }
    expect(text).toContain('HTTP/1.1 429');
    return /"code":"(\w+)"/.exec(text)?.[1] ?? text;
  };
}

/** A refusal has no line end behind it: it is whole when its code came. */
function readUntil(socket: Socket, whole: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (whole.test(text) || text.includes('"code":"')) resolve(text);
    });
    socket.once('error', reject);
  });
}

const streams: Readonly<Record<string, Open>> = {
  'server-sent events': raw('/events/stream?after=start', 'text/event-stream'),
  NDJSON: raw('/events/stream?after=start', 'application/x-ndjson'),
  'GraphQL over server-sent events': async (key) => {
    const path = `/graphql?query=${encodeURIComponent(subscription)}`;
    const opened = await openStream(hub.url + path, { ...by(key), accept: 'text/event-stream' });
    ends.push(opened.close);
    for (;;) {
      const block = await opened.next();
      const data = /^data: (\{.*\})$/m.exec(block ?? '')?.[1];
      if (data === undefined) continue;
      const { errors } = JSON.parse(data);
      if (errors !== undefined) return errors[0].extensions.code;
      return { leave: opened.close, breakOff: opened.close };
    }
  },
  'GraphQL over a WebSocket': async (key) => {
    const socket = await openSocket(hub.url);
    ends.push(() => socket.socket.terminate());
    socket.send({ type: 'connection_init', payload: by(key) });
    await socket.next();
    socket.send({ id: 'a', type: 'subscribe', payload: { query: subscription } });
    const { payload } = await socket.next();
    if (payload.errors !== undefined) return payload.errors[0].extensions.code;
    return {
      leave: () => socket.send({ id: 'a', type: 'complete' }),
      breakOff: () => socket.socket.terminate(),
    };
  },
  gRPC: async (key) => {
    const session = connectHttp2(`http://${hub.grpcAddress}`);
    ends.push(() => session.destroy());
    const stream = openCall(session, 'StreamEvents', followFromStart, by(key));
    const refusal = await Promise.race([once(stream, 'data').then(() => undefined), end(stream)]);
    if (refusal !== undefined) return refusalIn(refusal);
    return {
      leave: () => stream.close(constants.NGHTTP2_CANCEL),
      breakOff: () => session.destroy(),
    };
  },
};

/** StreamRequest { after: 'start', follow: true } */
const followFromStart = framed(Buffer.concat([field(2, 'start'), Buffer.from([4 << 3, 1])]));

type Headers = Readonly<Record<string, unknown>>;

/** What a call ends with, whether it had an answer or not. */
function end(stream: ClientHttp2Stream): Promise<Headers> {
  return new Promise((resolve) => {
    const take = (headers: Headers) => {
      if (headers['grpc-status'] !== undefined) resolve(headers);
    };
    stream.on('response', take).on('trailers', take);
  });
}

function refusalIn(headers: Headers): string {
  const client = new GrpcClient(hub.grpcAddress);
  ends.push(() => client.close());
  expect(headers['grpc-status']).toBe('8');
  const details = Buffer.from(String(headers['grpc-status-details-bin']), 'base64');
  const { reason, retryDelay } = client.readDetails(details);
  expect(retryDelay).toBeGreaterThan(0);
  return String(reason);
}

describe('the streams of an account', () => {
  beforeEach(async () => {
    hub = await startKeyedHub(['shop', 'other'], { streams: { perAccount } });
    ends.push(() => hub.remove());
    expect((await postEvents(hub.url, anInput(), by(hub.keys.other))).status).toBe(201);
  });

  it.each(Object.entries(streams))('are so many and no more: %s', async (_, open) => {
    const { shop, other } = hub.keys;
    const opened = await openAll(open, shop);
    expect(await open(shop)).toBe('rate_limited');
    expect(typeof (await open(other))).toBe('object');

    // However one ends, another one may begin.
    await opened[0]?.leave();
    await expect.poll(async () => typeof (await open(shop))).toBe('object');
    expect(await open(shop)).toBe('rate_limited');
    await opened[1]?.breakOff();
    await expect.poll(async () => typeof (await open(shop))).toBe('object');
    expect(await open(shop)).toBe('rate_limited');
  });

  it('are counted over all protocols together', async () => {
    const { shop } = hub.keys;
    const [first, second, ...others] = Object.values(streams);
    await first?.(shop);
    await second?.(shop);
    for (const open of others) expect(await open(shop)).toBe('rate_limited');
  });

  it('end by themselves too: at the end of the history, at their limit, at a bad request', async () => {
    const { shop } = hub.keys;
    const paths = ['?after=start&follow=false', '?after=start&limit=1', '?after=nowhere'];
    for (const path of [...paths, ...paths]) {
      const { status } = await get(hub.url, `/events/stream${path}`, by(shop));
      expect(status, path).toBe(path === '?after=nowhere' ? 422 : 200);
    }
    await openAll(streams.gRPC, shop);
  });

  it('are free again for a HEAD, and for a pull of the newest by gRPC', async () => {
    const { shop } = hub.keys;
    for (let asked = 0; asked <= perAccount; asked += 1) {
      const url = `${hub.url}/events/stream`;
      expect((await fetch(url, { method: 'HEAD', headers: by(shop) })).status).toBe(200);
    }
    await openAll(streams['server-sent events'], shop);
    const client = new GrpcClient(hub.grpcAddress);
    ends.push(() => client.close());
    const stream = client.stream('StreamEvents', {}, { metadata: by(shop) });
    expect(await take(stream, 1)).toHaveLength(1);
  });

  it('are refused before anything of them is sent, the newest events by gRPC included', async () => {
    const { shop } = hub.keys;
    await openAll(streams.NDJSON, shop);
    const client = new GrpcClient(hub.grpcAddress);
    ends.push(() => client.close());
    const seen: unknown[] = [];
    const stream = client.stream('StreamEvents', { follow: true }, { metadata: by(shop) });
    stream.on('data', (event) => seen.push(event));
    const [error] = await once(stream, 'error');
    expect(client.read(error).reason).toBe('rate_limited');
    expect(seen).toEqual([]);
  });

  it('are counted on the metrics page when they are refused', async () => {
    const { shop } = hub.keys;
    await openAll(streams['server-sent events'], shop);
    await streams.NDJSON?.(shop);
    const { text } = await get(hub.url, '/metrics', by(shop));
    expect(text).toContain('event_hub_rate_limited_total{by="account",unit="streams"} 1');
  });
});

it('counts callers without a credential by their address', async () => {
  const open = await startTestHub({ streams: { perAccount: 1 } });
  ends.push(() => open.remove());
  const statusFrom = (localAddress: string) =>
    new Promise((resolve, reject) => {
      const asking = request(
        `${open.url}/events/stream`,
        { localAddress, agent: false },
        (response) => resolve(response.statusCode),
      );
      asking.once('error', reject);
      ends.push(() => asking.destroy());
      asking.end();
    });
  expect(await statusFrom('127.0.0.1')).toBe(200);
  expect(await statusFrom('127.0.0.1')).toBe(429);
  expect(await statusFrom('127.0.0.2')).toBe(200);
  const { text } = await get(open.url, '/metrics');
  expect(text).toContain('event_hub_rate_limited_total{by="address",unit="streams"} 1');
});

describe('the places of streams', () => {
  const telemetry = createTelemetry();
  const caller = (account: string) => ({ ...nobody, account });

  it('remember only who has a stream open', () => {
    const slots = new StreamSlots({ perAccount: 3, telemetry });
    const taken = [slots.take(caller('a')), slots.take(caller('a')), slots.take(caller('b'))];
    expect(slots.owners).toBe(2);
    for (const giveBack of taken) giveBack();
    expect(slots.owners).toBe(0);
  });

  it('are given back once, however often it is said', () => {
    const slots = new StreamSlots({ perAccount: 2, telemetry });
    const giveBack = slots.take(caller('a'));
    slots.take(caller('a'));
    giveBack();
    giveBack();
    slots.take(caller('a'));
    expect(() => slots.take(caller('a'))).toThrow(/2 streams open/);
  });

  it('have an end for all accounts together, with and without a limit for each', () => {
    for (const each of [0, limits.streamsMax * 2]) {
      const slots = new StreamSlots({ perAccount: each, telemetry });
      for (let taken = 1; taken < limits.streamsMax; taken += 1) slots.take(caller('a'));
      const giveBack = slots.take(caller('b'));
      expect(() => slots.take(caller('c'))).toThrow(/streams already/);
      giveBack();
      slots.take(caller('c'));
    }
  });
});

async function openAll(open: Open | undefined, key: string) {
  const opened: Exclude<Opened, string>[] = [];
  while (opened.length < perAccount) {
    const one = await open?.(key);
    if (one === undefined || typeof one === 'string') throw new Error(`refused: ${one}`);
    opened.push(one);
  }
  return opened;
}
