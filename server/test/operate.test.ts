import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { afterEach, describe, expect, it } from 'vitest';
import { declaredSettings } from '../src/config/declared-settings.ts';
import { examineEngines } from '../src/main/engines.ts';
import { graphqlNeeds, grpcNeeds, httpNeeds } from './auth/operation-scopes.ts';
import { startCutProxy } from './support/cut-proxy.ts';
import { startMongoServer } from './support/engines/mongo-server.ts';
import { startRedisServer } from './support/engines/redis-server.ts';
import { freshName, sharedMongo, sharedRedis } from './support/engines/shared-engines.ts';
import { describeWithEngines, describeWithOwnEngines } from './support/needed-program.ts';
import { repository } from './support/source-files.ts';
import { startTestHub, type TestHub } from './support/start-test-hub.ts';
import { testSettings } from './support/test-settings.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(...args: Parameters<typeof startTestHub>): Promise<TestHub> {
  const hub = await startTestHub(...args);
  ends.push(() => hub.remove());
  return hub;
}

/** What docs/operate.md tells an operator of the standard mode. */
describeWithEngines('the services of the compose file', ['redis', 'mongo'], () => {
  it('are one hub in three parts, each with its health and figures', async () => {
    const engines = {
      log: `${await sharedRedis()}?stream=${freshName('events')}`,
      store: await sharedMongo(),
    };
    const app = await start({ ...engines, roles: new Set(['http']) });
    const grpcServer = await start({ ...engines, roles: new Set(['grpc']) });
    const metricsConsumer = await start({ ...engines, roles: new Set(['readers']) });
    for (const { url } of [app, grpcServer, metricsConsumer]) {
      for (const path of ['/livez', '/readyz', '/metrics']) {
        expect((await fetch(`${url}${path}`)).status, `${url}${path}`).toBe(200);
      }
    }
    expect([app.grpcAddress, metricsConsumer.grpcAddress]).toEqual(['', '']);
    expect(grpcServer.grpcAddress).toMatch(/^127\.0\.0\.1:\d+$/);
    for (const { url } of [grpcServer, metricsConsumer]) {
      expect((await fetch(`${url}/events`)).status).toBe(404);
    }
    expect(await send(app, 'order-1')).toBe('success');
    await expect.poll(() => count(app)).toBe(1);
    await expect
      .poll(() => figure(metricsConsumer, 'archived_entries_total{result="recorded"}'))
      .toBe(1);
    expect(await figure(metricsConsumer, 'archive_active')).toBe(1);
    await expect.poll(() => figure(metricsConsumer, 'archive_lag_seconds')).toBe(0);
    expect(await figure(metricsConsumer, 'archive_lag_events{shard="0"}')).toBe(0);
    expect(await figure(metricsConsumer, 'part_up{part="archive"}')).toBe(1);
    for (const each of [app, grpcServer, metricsConsumer]) {
      expect(await figure(each, 'part_up{part="store"}')).toBe(1);
      expect(await figure(each, 'store_bytes{store="mongodb"}')).toBeGreaterThan(1_000);
    }
  });
});

describeWithOwnEngines('a hub on the host', ['redis', 'mongo'], () => {
  it('reaches MongoDB by the published port alone, whatever the set calls itself', async () => {
    const mongo = await startMongoServer();
    ends.push(() => mongo.remove());
    const redis = await startRedisServer();
    ends.push(() => redis.remove());
    // As with MONGO_PORT: the replica set knows another address than the hub does.
    const published = await startCutProxy(mongo.port);
    const store = `mongodb://127.0.0.1:${published.port}/event_hub?directConnection=true`;
    const hub = await start({ log: redis.url, store });
    expect(await send(hub, 'order-1')).toBe('success');
    await expect.poll(() => count(hub)).toBe(1);
    await published.close();
    await expect.poll(async () => (await fetch(`${hub.url}/aggregates`)).status).toBe(503);
    expect(mongo.isRunning).toBe(true);
    expect(await send(hub, 'order-2')).toBe('success');
  });
});

describeWithOwnEngines('the user of Redis in docs/operate.md', ['redis', 'mongo'], () => {
  const rules = documentedRules();

  it('may do what a hub and its doctor do', async () => {
    const redis = await startRedisServer();
    ends.push(() => redis.remove());
    const admin = createClient({ url: redis.url });
    ends.push(() => admin.close());
    await admin.connect();
    await admin.sendCommand(['ACL', 'SETUSER', 'event-hub', 'on', '>secret', ...rules]);
    const url = redis.url.replace('//', '//event-hub:secret@');
    const hub = await start({ log: url, store: await sharedMongo() });
    expect(await send(hub, 'order-1')).toBe('success');
    expect(await send(hub, 'order-1')).toBe('duplicate');
    await expect.poll(() => count(hub)).toBe(1);
    const ready = await fetch(`${hub.url}/readyz`);
    expect(await ready.json()).toMatchObject({ durability: expect.not.stringContaining('WEAK') });
    const findings = await examineEngines(testSettings(hub.folder, { log: url }));
    expect(findings.filter(({ state }) => state === 'fail')).toEqual([]);
    const denied = await admin.sendCommand(['ACL', 'LOG']);
    expect(denied).toEqual([]);
  });
});

describe('the table of what listens where in docs/operate.md', () => {
  const rows = documentedNeeds();

  it('names every operation once, with what the matrix of access holds it to', () => {
    const ofPort = rows.filter(({ address }) => address.includes('EVENT_HUB_METRICS_PORT'));
    expect(ofPort).toMatchObject([{ operation: 'GET /metrics', needs: 'open' }]);
    const others = rows.filter((row) => !ofPort.includes(row));
    const told = others.map(({ operation, needs }) => [operation, needs]);
    const stated = Object.entries({ ...httpNeeds, ...grpcNeeds, ...graphqlNeeds });
    expect(told.toSorted()).toEqual(stated.toSorted());
  });

  it('names settings that there are', () => {
    const known = declaredSettings.map(({ env }) => env);
    const named = rows.flatMap(({ address }) => address.match(/EVENT_HUB_\w+/g) ?? []);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });
});

interface DocumentedNeeds {
  readonly address: string;
  readonly operation: string;
  readonly needs: string;
}

/** A row for each operation; an address stands for the rows below it too. */
function documentedNeeds(): readonly DocumentedNeeds[] {
  const text = readFileSync(join(repository, 'docs/operate.md'), 'utf8');
  const section = text.split('\n## What listens where')[1]?.split('\n## ')[0] ?? '';
  const [, , ...lines] = section.split('\n').filter((line) => line.startsWith('|'));
  let above = '';
  return lines.flatMap((line) => {
    const [, address = '', operations = '', needs = ''] = line.split('|');
    above = address.trim() || above;
    const scope = needs.replaceAll('`', '').trim();
    return [...operations.matchAll(/`([^`]+)`/g)].map(([, operation = '']) => ({
      address: above,
      operation,
      needs: scope,
    }));
  });
}

async function send({ url }: TestHub, id: string): Promise<string> {
  const event = { id, user_id: 'anna', event_type: 'purchase', amount: '1.5', currency: 'EUR' };
  const response = await fetch(`${url}/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(event),
  });
  return ((await response.json()) as { status: string }).status;
}

async function count({ url }: TestHub): Promise<number> {
  const response = await fetch(`${url}/aggregates?minutes=60`);
  return ((await response.json()) as { event_count: number }).event_count;
}

async function figure({ url }: TestHub, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`event_hub_${name} `));
  return Number(line?.split(' ').at(-1));
}

/** Of the `ACL SETUSER` block, without the user's name and password. */
function documentedRules(): readonly string[] {
  const text = readFileSync(join(repository, 'docs/operate.md'), 'utf8');
  const block = /ACL SETUSER event-hub on >SECRET ([^`]+)```/.exec(text)?.[1] ?? '';
  return block.trim().split(/\s+/);
}
