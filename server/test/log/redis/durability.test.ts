import { createClient } from '@redis/client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { limits } from '../../../src/base/limits.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import { examineRedis } from '../../../src/log/redis/examine-redis.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import {
  durableRedisSettings,
  type RedisServer,
  startRedisServer,
} from '../../support/engines/redis-server.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { describeWithOwnEngines } from '../../support/needed-program.ts';
import { command, openLog } from '../../support/redis-harness.ts';
import { readAll } from '../event-log.suite.ts';

const weak: Readonly<Record<string, string>> = {
  appendonly: 'no',
  appendfsync: 'everysec',
  'no-appendfsync-on-rewrite': 'yes',
  'maxmemory-policy': 'allkeys-lru',
};

describeWithOwnEngines('durability in Redis', ['redis'], () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.remove());

  const set = (name: string, value: string) => command(server.url, 'CONFIG', 'SET', name, value);
  beforeEach(async () => {
    await command(server.url, 'FLUSHALL');
  });
  afterEach(async () => {
    for (const [name, value] of Object.entries(durableRedisSettings)) await set(name, value);
    await set('maxmemory', '0');
  });

  const append = (log: EventLog) => log.append([{ events: [anEvent()], atomic: false }]);
  const open = async (options = {}) => {
    const log = await openLog(server.url, options);
    onTestFinished(() => log.close());
    return log;
  };

  it('is named by a check', async () => {
    const log = await open();
    expect((await log.check()).durability).toMatch(/appendfsync=always: on disk/);
  });

  it.each(Object.entries(weak))('refuses to open on %s %s', async (name, value) => {
    await set(name, value);
    await expect(openLog(server.url)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(
        new RegExp(`${name} is ${value} \\(CONFIG SET ${name}.*EVENT_HUB_ALLOW_WEAK_DURABILITY`),
      ),
    });
  });

  it('names every weak setting at once', async () => {
    for (const [name, value] of Object.entries(weak)) await set(name, value);
    const { message } = await openLog(server.url).then(
      () => ({ message: 'it opened' }),
      (reason: Error) => reason,
    );
    for (const name of Object.keys(weak)) expect(message).toContain(`${name} is`);
    expect(await examineRedis(server.url)).toContainEqual({
      state: 'fail',
      name: 'durability',
      detail: expect.stringContaining('appendfsync is everysec'),
    });
  });

  it('serves on weak settings when that is allowed, and says so', async () => {
    await set('appendfsync', 'everysec');
    const log = await open({ allowWeakDurability: true });
    await append(log);
    expect((await log.check()).durability).toMatch(/WEAK.*appendfsync is everysec/);
  });

  it('counts what cannot be read as weak and names the right to grant', async () => {
    await command(
      server.url,
      'ACL',
      'SETUSER',
      'blind',
      'on',
      '>pw',
      '~*',
      '&*',
      '+@all',
      '-config|get',
      '-info',
    );
    const url = server.url.replace('redis://', 'redis://blind:pw@');
    await expect(openLog(url)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/appendfsync cannot be read \(grant \+config\|get\).*\+info/),
    });
  });

  it('finds settings weakened while it runs, and appends again once they are mended', async () => {
    const log = await open();
    await append(log);
    await set('appendfsync', 'no');
    await expect(log.check()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('appendfsync is no'),
    });
    await expect
      .poll(() => append(log).catch((reason: Error) => reason.message))
      .toContain('appendfsync is no');
    await set('appendfsync', 'always');
    await expect.poll(() => append(log).catch(() => 'refused')).not.toBe('refused');
  });

  it('looks at the settings again after each reconnection', async () => {
    const log = await open();
    await append(log);
    await set('no-appendfsync-on-rewrite', 'yes');
    await command(server.url, 'CLIENT', 'KILL', 'TYPE', 'normal');
    await expect
      .poll(() => append(log).catch((reason: Error) => reason.message))
      .toContain('no-appendfsync-on-rewrite is yes');
    await set('no-appendfsync-on-rewrite', 'no');
    await expect.poll(() => append(log).catch(() => 'refused')).not.toBe('refused');
  });

  it('answers `overloaded` when memory is short, with nothing stored, and goes on after', async () => {
    const log = await open();
    await append(log);
    await set('maxmemory', '100kb');
    for (const atomic of [false, true]) {
      await expect(log.append([{ events: someEvents(300), atomic }])).rejects.toMatchObject({
        code: 'overloaded',
        message: expect.stringContaining('maxmemory'),
      });
    }
    await expect(log.check()).rejects.toMatchObject({ code: 'unavailable' });
    expect(await readAll(log)).toHaveLength(1);
    expect(await command(server.url, 'HLEN', 'events:ids')).toBe(1);
    await set('maxmemory', '0');
    await append(log);
    await log.check();
    expect(await readAll(log)).toHaveLength(2);
  });

  it('is trimmed also when memory is short', async () => {
    const clock = manualClock(systemClock.now() + 5_000);
    const log = await open({ clock });
    await log.append([{ events: someEvents(limits.redisTrimMargin + 50), atomic: false }]);
    const end = await log.end();
    if (end === undefined) return expect.fail('the log is empty');
    await log.trim(end);
    await clock.advance(2 * limits.redisArchivedKeepMs);
    await set('maxmemory', '100kb');
    await log.trim(end);
    expect(await command(server.url, 'XLEN', 'events')).toBe(limits.redisTrimMargin);
  });

  it('never stores a part of an event when memory runs out under way', async () => {
    const log = await open();
    const used = /used_memory:(\d+)/.exec(String(await command(server.url, 'INFO', 'memory')))?.[1];
    await set('maxmemory', String(Number(used) + 3_000_000));
    const acknowledged: string[] = [];
    for (let full = false; !full; ) {
      const events = someEvents(100, { metadata: `{"a":"${'x'.repeat(1_000)}"}` });
      await log.append([{ events, atomic: false }]).then(
        () => acknowledged.push(...events.map(({ id }) => id)),
        (reason: { code: string }) => {
          expect(reason.code).toBe('overloaded');
          full = true;
        },
      );
    }
    expect((await readAll(log)).map(({ event }) => event.id)).toEqual(acknowledged);
    expect(await command(server.url, 'HLEN', 'events:ids')).toBe(acknowledged.length);
  });

  it('refuses a replica, and a cluster', async () => {
    const replica = await startRedisServer({ settings: { replicaof: `127.0.0.1 ${server.port}` } });
    onTestFinished(() => replica.remove());
    const becomesKnown = expect.poll(() =>
      openLog(replica.url).catch((reason: Error) => reason.message),
    );
    await becomesKnown.toContain('it is a replica (name the master in the URL)');

    const cluster = await startRedisServer({ settings: { 'cluster-enabled': 'yes' } });
    onTestFinished(() => cluster.remove());
    await expect(openLog(cluster.url)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('it runs as cluster'),
    });
  });

  it('refuses a master that Sentinel may replace', async () => {
    const replica = await startRedisServer({ settings: { replicaof: `127.0.0.1 ${server.port}` } });
    onTestFinished(() => replica.remove());
    const replicas = async () => String(await command(server.url, 'INFO', 'replication'));
    await expect.poll(replicas).toContain('connected_slaves:1');
    const log = await open();
    await log.close();
    // As every Sentinel does that watches it.
    const watcher = createClient({ url: server.url });
    await watcher.connect();
    onTestFinished(() => watcher.destroy());
    await watcher.subscribe('__sentinel__:hello', () => undefined);
    await expect(openLog(server.url)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('Sentinel'),
    });
  });
});
