import { afterEach, expect, it } from 'vitest';
import { startMongoServer } from '../support/engines/mongo-server.ts';
import { startRedisServer } from '../support/engines/redis-server.ts';
import { examined } from '../support/examined.ts';
import { describeWithOwnEngines } from '../support/needed-program.ts';
import { command } from '../support/redis-harness.ts';
import { get } from '../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';

const patience = { timeout: 30_000, interval: 200 };
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start() {
  const [redis, mongo] = await Promise.all([startRedisServer(), startMongoServer()]);
  ends.push(() => Promise.all([redis.remove(), mongo.remove()]));
  const hub = await startTestHub({ log: redis.url, store: mongo.urlOf('hub') });
  ends.push(() => hub.remove());
  return { hub, redis, mongo };
}

/** What `/readyz?verbose` says of a part. */
async function lineOf({ url }: TestHub, part: string): Promise<string> {
  const { text } = await get(url, '/readyz?verbose');
  return text.split('\n').find((line) => line.slice(3).startsWith(`${part} `)) ?? '';
}

async function isUp({ url }: TestHub, part: string): Promise<string | undefined> {
  const { text } = await get(url, '/metrics');
  return new RegExp(`^event_hub_part_up\\{part="${part}"\\} (\\d)$`, 'm').exec(text)?.[1];
}

/** What doctor says that the hub on these ports says. */
async function toldByDoctor({ url, grpcAddress, settings }: TestHub) {
  const portOf = (address: string) => address.slice(address.lastIndexOf(':') + 1);
  const { code, findings } = await examined([
    `--http-port=${portOf(url)}`,
    `--grpc-port=${portOf(grpcAddress)}`,
    `--log=${settings.log}`,
    `--store=${settings.store}`,
  ]);
  const told = findings.filter(({ detail }) => detail.startsWith('the hub that runs says'));
  return { code, told };
}

describeWithOwnEngines('an ill part of a hub', ['redis', 'mongo'], () => {
  it('is the store while MongoDB is away, and then who may come in: each says what to do', async () => {
    const { hub, mongo } = await start();
    await mongo.stop();
    await expect
      .poll(() => lineOf(hub, 'store'), patience)
      .toMatch(/^\[-\]store failed: .+; what to do: see that MongoDB runs and has a primary/);
    // Longer than the grace in which it knows who may come in.
    await expect
      .poll(() => lineOf(hub, 'access'), patience)
      .toMatch(
        /^\[-\]access failed: .+; what to do: bring the store back, .*EVENT_HUB_ACCESS_GRACE/,
      );
    expect((await get(hub.url, '/readyz')).status).toBe(503);
    const { code, told } = await toldByDoctor(hub);
    expect(code).toBe(1);
    expect(told).toContainEqual({
      state: 'fail',
      name: 'store',
      detail: expect.stringContaining('what to do: see that MongoDB runs'),
    });
    expect(told).toContainEqual({
      state: 'fail',
      name: 'access',
      detail: expect.stringContaining('EVENT_HUB_ACCESS_GRACE'),
    });
    await mongo.start();
    await expect.poll(() => lineOf(hub, 'access'), patience).toMatch(/^\[\+\]access ok/);
    await expect.poll(() => lineOf(hub, 'store'), patience).toMatch(/^\[\+\]store ok/);
  });

  it('is the log when Redis loses its durable settings: it names them, and what to do', async () => {
    const { hub, redis } = await start();
    expect(await isUp(hub, 'log')).toBe('1');
    await command(redis.url, 'CONFIG', 'SET', 'appendfsync', 'no');
    await expect
      .poll(() => lineOf(hub, 'log'), patience)
      .toMatch(/^\[-\]log failed: .*appendfsync.*; what to do: see that Redis .*durable settings/);
    expect(await isUp(hub, 'log')).toBe('0');
    const { code, told } = await toldByDoctor(hub);
    expect(code).toBe(1);
    expect(told.map(({ name }) => name)).toEqual(['log']);
    await command(redis.url, 'CONFIG', 'SET', 'appendfsync', 'always');
    await expect.poll(() => lineOf(hub, 'log'), patience).toMatch(/^\[\+\]log ok/);
  });

  it('is the log when it was emptied: the advice is to bring it back or to adopt it', async () => {
    const { hub, redis } = await start();
    const event = { id: 'e-1', user_id: 'anna', event_type: 'purchase', amount: '1' };
    await fetch(`${hub.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(event),
    });
    await expect
      .poll(async () => (await get(hub.url, '/aggregates')).json.event_count, patience)
      .toBe(1);
    await hub.stop();
    await command(redis.url, 'FLUSHALL');
    const again = await startTestHub(hub.settings);
    ends.push(() => again.remove());
    await expect
      .poll(() => lineOf(again, 'log'), patience)
      .toMatch(
        /^\[-\]log failed: .+; what to do: bring the right log back, .*`event-hub log adopt`/,
      );
  });
});
