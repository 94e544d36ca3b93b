import { type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FeedReader } from '../protocols/drivers/feed-reader.ts';
import { type Drivers, openDrivers } from '../protocols/drivers/open-drivers.ts';
import { type FeedRequest, Refused, type Shown } from '../protocols/drivers/protocol-driver.ts';
import { openSocket, type TestSocket } from '../protocols/graphql/test-socket.ts';
import { GrpcClient, type Message } from '../protocols/grpc/grpc-client.ts';
import { ApiKeys, bearing, type MadeKey, untilKnown } from '../support/api-keys.ts';
import { anInput, postEvents } from '../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { takingTokens, tokenFor } from './credentials.ts';

let hub: TestHub;
let keys: ApiKeys;
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  hub = await startTestHub();
  keys = new ApiKeys(hub.settings);
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await hub.remove();
});

function driversFor(shown: Shown): Drivers {
  const drivers = openDrivers(hub, shown);
  ends.push(() => drivers.close());
  return drivers;
}

/** Every transport of the live feed. */
function followAll(shown: Shown, request: Omit<FeedRequest, 'signal'>): readonly FeedReader[] {
  return driversFor(shown).feeds.map((driver) => {
    const reader = new FeedReader(driver, request);
    ends.push(() => reader.leave());
    return reader;
  });
}

/** What the hub says when it ends the feed; the events before it are passed over. */
async function endOf(reader: FeedReader): Promise<Refused> {
  try {
    await reader.rest();
  } catch (reason) {
    if (reason instanceof Refused) return reason;
    throw reason;
  }
  throw new Error('the feed ended without a reason');
}

async function send(shown: Shown, count: number): Promise<readonly string[]> {
  const inputs = Array.from({ length: count }, () => anInput());
  const { json } = await postEvents(hub.url, inputs, shown);
  return json.results.map(({ position }: { position: string }) => position);
}

describe('a live stream of each transport', () => {
  let key: MadeKey;
  let other: MadeKey;

  beforeEach(async () => {
    [key, other] = (await keys.makeAll([
      { scopes: ['events:read'] },
      { scopes: ['events:read', 'events:write', 'metrics:read'] },
    ])) as [MadeKey, MadeKey];
    await untilKnown(hub.url, other);
  });

  const endings = {
    revoked: () => keys.revoke(key),
    'out of time': () => keys.expire(key, Date.now() + 500),
  };

  it.each(Object.entries(endings))(
    'ends once its key is %s, says where to resume, and another key goes on there',
    async (_, endKey) => {
      const [, before] = await send(bearing(other), 2);
      const readers = followAll(bearing(key), { after: 'start' });
      for (const reader of readers) {
        expect((await reader.events(2)).at(-1)?.position).toBe(before);
      }
      await endKey();
      const reasons = await Promise.all(readers.map(endOf));
      expect(reasons.map(({ failure }) => failure.code)).toEqual(
        readers.map(() => 'unauthenticated'),
      );
      expect(reasons.map(({ position }) => position)).toEqual(readers.map(() => before));
      const missed = await send(bearing(other), 3);
      for (const reader of followAll(bearing(other), { after: before ?? '' })) {
        expect((await reader.events(3)).map(({ position }) => position)).toEqual(missed);
      }
      for (const reader of followAll(bearing(key), { after: before ?? '' })) {
        expect((await endOf(reader)).failure.code).toBe('unauthenticated');
      }
    },
  );

  it('names its place also where no event has come by', async () => {
    const [end] = await send(bearing(other), 1);
    const readers = followAll(bearing(key), { after: end ?? '' });
    const reasons = readers.map(endOf);
    await expect.poll(() => liveStreams(other)).toBe(readers.length);
    await keys.revoke(key);
    for (const { failure, position } of await Promise.all(reasons)) {
      expect({ code: failure.code, position }).toEqual({ code: 'unauthenticated', position: end });
    }
  });

  it('of another key goes on', async () => {
    const readers = followAll(bearing(other), { after: 'start' });
    const [first] = await send(bearing(other), 1);
    for (const reader of readers) expect((await reader.event()).position).toBe(first);
    const gone = followAll(bearing(key), { after: 'start' });
    for (const reader of gone) await reader.event();
    await keys.revoke(key);
    await Promise.all(gone.map(endOf));
    const [second] = await send(bearing(other), 1);
    for (const reader of readers) expect((await reader.event()).position).toBe(second);
  });
});

/** Of the hub that runs, as its figures say it. */
async function liveStreams(key: MadeKey): Promise<number> {
  const page = await fetch(`${hub.url}/metrics`, { headers: bearing(key) });
  return Number(/^event_hub_live_subscribers (\d+)$/m.exec(await page.text())?.[1]);
}

describe('a WebSocket', () => {
  it('ends all its subscriptions with a reason, then closes with 4401', async () => {
    const key = await keys.make(['events:read', 'events:write']);
    await untilKnown(hub.url, key);
    const [position] = await send(bearing(key), 1);
    const socket = await openSocket(hub.url);
    socket.send({ type: 'connection_init', payload: bearing(key) });
    expect(await socket.next()).toMatchObject({ type: 'connection_ack' });
    for (const id of ['1', '2', '3']) {
      const query = 'subscription { eventStream(after: "start") { position } }';
      socket.send({ id, type: 'subscribe', payload: { query } });
      expect(await socket.next()).toMatchObject({ id, type: 'next' });
    }
    await keys.revoke(key);
    const said = new Map<string, unknown>();
    for (let left = 3; left > 0; left -= 1) {
      const { id, type, payload } = await socket.next();
      expect(type).toBe('error');
      said.set(id, payload[0].extensions);
    }
    const extensions = { code: 'unauthenticated', position };
    expect(Object.fromEntries(said)).toEqual({ 1: extensions, 2: extensions, 3: extensions });
    expect((await socket.closed).code).toBe(4401);
  });

  it('closes with 4401 also where nothing is under way', async () => {
    const key = await keys.make(['events:read']);
    await untilKnown(hub.url, key);
    const socket: TestSocket = await openSocket(hub.url);
    socket.send({ type: 'connection_init', payload: bearing(key) });
    expect(await socket.next()).toMatchObject({ type: 'connection_ack' });
    await keys.revoke(key);
    expect((await socket.closed).code).toBe(4401);
  });
});

describe('an ingest stream', () => {
  let client: GrpcClient;
  beforeEach(() => {
    client = new GrpcClient(hub.grpcAddress);
    ends.push(() => client.close());
  });

  const event = (id: string) => ({ user_id: 'u', event_type: 'purchase', amount: 1, id });
  const isStored = async (id: string, shown: Shown) =>
    (await fetch(`${hub.url}/events/${id}`, { headers: shown })).ok;

  it('ends once its key is revoked, and what it has acknowledged stays', async () => {
    const key = await keys.make(['events:write']);
    const reader = await keys.make(['events:read']);
    await untilKnown(hub.url, reader);
    const stream = client.duplex('SendEvents', { metadata: bearing(key) });
    const answers: Message[] = [];
    const ended = new Promise<ServiceError>((resolve) => stream.once('error', resolve));
    // One answer, one event: it sends until it is ended.
    stream.on('data', (answer: Message) => {
      answers.push(answer);
      stream.write(event(`sent-${answers.length + 1}`));
    });
    stream.write(event('sent-1'));
    await expect.poll(() => answers.length).toBeGreaterThan(10);
    await keys.revoke(key);
    const { code, reason } = client.read(await ended);
    expect({ code, reason }).toEqual({ code: status.UNAUTHENTICATED, reason: 'unauthenticated' });
    const acknowledged = answers.filter(({ status: said }) => said === 'success');
    expect(acknowledged.length).toBeGreaterThan(10);
    for (const { event_id } of acknowledged) {
      expect(await isStored(String(event_id), bearing(reader)), String(event_id)).toBe(true);
    }
    const refused = answers.filter(({ status: said }) => said !== 'success');
    expect(refused.every((each) => each.code === 'unauthenticated')).toBe(true);
  });

  it('ends also where it waits for its client', async () => {
    const key = await keys.make(['events:write']);
    await untilKnown(hub.url, key);
    const stream = client.duplex('SendEvents', { metadata: bearing(key) });
    const ended = new Promise<ServiceError>((resolve) => stream.once('error', resolve));
    const answered = new Promise<Message>((resolve) => stream.once('data', resolve));
    stream.write(event('only'));
    expect(await answered).toMatchObject({ status: 'success' });
    await keys.expire(key, Date.now());
    expect((await ended).code).toBe(status.UNAUTHENTICATED);
  });
});

describe('a reflection stream', () => {
  it('ends once its key is revoked', async () => {
    const client = new GrpcClient(hub.grpcAddress);
    ends.push(() => client.close());
    const key = await keys.make(['events:read']);
    await untilKnown(hub.url, key);
    const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    const stream = client.duplex(path, { metadata: bearing(key) });
    const ended = new Promise<ServiceError>((resolve) => stream.once('error', resolve));
    const answered = new Promise<Message>((resolve) => stream.once('data', resolve));
    stream.write({ list_services: '*' });
    expect(await answered).toHaveProperty('list_services_response');
    await keys.revoke(key);
    expect(client.read(await ended).reason).toBe('unauthenticated');
  });
});

describe('what began with a token', () => {
  it('ends when that runs out, over every transport', async () => {
    await hub.remove();
    hub = await startTestHub(takingTokens);
    const [position] = await send(tokenFor('events:write'), 1);
    // Some seconds are left of the minute that a token is taken for after its `exp`.
    const ending = tokenFor('events:read events:write', { leftS: -50 });
    const readers = followAll(ending, { after: 'start' });
    for (const reader of readers) expect((await reader.event()).position).toBe(position);
    const client = new GrpcClient(hub.grpcAddress);
    ends.push(() => client.close());
    const ingest = client.duplex('SendEvents', { metadata: ending });
    const ingestEnded = new Promise<ServiceError>((resolve) => ingest.once('error', resolve));
    const socket = await openSocket(hub.url);
    socket.send({ type: 'connection_init', payload: ending });
    expect(await socket.next()).toMatchObject({ type: 'connection_ack' });
    for (const reason of await Promise.all(readers.map(endOf))) {
      expect(reason).toMatchObject({ failure: { code: 'unauthenticated' }, position });
    }
    expect((await ingestEnded).code).toBe(status.UNAUTHENTICATED);
    expect((await socket.closed).code).toBe(4401);
    const [next] = await send(tokenFor('events:write'), 1);
    for (const reader of followAll(tokenFor('reader'), { after: position ?? '' })) {
      expect((await reader.event()).position).toBe(next);
    }
  });
});

describe('what began without a credential', () => {
  it('ends when the first key is made, and goes on with that', async () => {
    const [position] = await send({}, 1);
    const readers = followAll({}, { after: 'start' });
    for (const reader of readers) await reader.event();
    const client = new GrpcClient(hub.grpcAddress);
    ends.push(() => client.close());
    const ingest = client.duplex('SendEvents');
    const ingestEnded = new Promise<ServiceError>((resolve) => ingest.once('error', resolve));
    const key = await keys.make(['events:read', 'events:write']);
    for (const reason of await Promise.all(readers.map(endOf))) {
      expect(reason).toMatchObject({ failure: { code: 'unauthenticated' }, position });
    }
    expect((await ingestEnded).code).toBe(status.UNAUTHENTICATED);
    const [next] = await send(bearing(key), 1);
    for (const reader of followAll(bearing(key), { after: position ?? '' })) {
      expect((await reader.event()).position).toBe(next);
    }
  });
});
