import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { formatInstant, systemClock } from '../../src/base/clock.ts';
import { limits } from '../../src/base/limits.ts';
import { minuteMs } from '../../src/event/minute.ts';
import type { EventLog, LogEntry, Position } from '../../src/log/event-log.ts';
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts';
import { logShard } from '../../src/log/one-shard.ts';
import { type Engines, isEmbedded, openEngines } from '../../src/main/engines.ts';
import { Retention, type RetentionDeps } from '../../src/readers/retention.ts';
import { type Lease, leasePrefixes } from '../../src/store/event-store.ts';
import { openMongoStore } from '../../src/store/mongo/mongo-store.ts';
import { anEvent, someEvents } from '../support/build-event.ts';
import { capturedLog } from '../support/captured-log.ts';
import { append, trimRedis } from '../support/fill-place.ts';
import { type ModePlace, newFile, newServers } from '../support/hub-places.ts';
import { removeTopic } from '../support/kafka-harness.ts';
import { manualClock } from '../support/manual-clock.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { kafkaEngines } from '../support/server-settings.ts';
import { testSettings } from '../support/test-settings.ts';

const patience = { timeout: 20_000, interval: 10 };
const retentionMs = 30 * 24 * 60 * minuteMs;

let place: ModePlace;
let engines: Engines;
const retentions: Retention[] = [];

const open = async () => {
  const { log, store } = place;
  engines = await openEngines(testSettings('/', { log, store }), { exclusive: true });
};
const start = (changes: Partial<RetentionDeps> = {}) => {
  const { logger, lines } = capturedLog();
  const retention = new Retention({
    ...engines,
    isEmbedded: isEmbedded(place),
    clock: systemClock,
    logger,
    holder: 'this one',
    retentionMs,
    ...changes,
  });
  retentions.push(retention);
  retention.start();
  return { retention, lines };
};
const removed = async () => (await engines.store.retained()).removedEvents;
const old = { receivedAt: Date.now() - 2 * retentionMs };

afterEach(async () => {
  await Promise.all(retentions.splice(0).map((retention) => retention.stop()));
  await engines.close();
  await place.destroy();
});

describe('retention', () => {
  beforeEach(async () => {
    place = await newFile();
  });

  it('removes what is too old, in parts, and says so in one line', async () => {
    const count = 2 * limits.retentionEvents + 7;
    await append(place, [...someEvents(count, old), ...someEvents(3, { receivedAt: Date.now() })]);
    await open();
    const { lines } = start();
    await vi.waitFor(() => expect(lines).toHaveLength(1), patience);
    const { floors } = await engines.store.retained();
    expect(lines[0]).toMatchObject({
      msg: 'removed what was too old',
      level: 30,
      shard: logShard,
      events: count,
      oldest: formatInstant(old.receivedAt),
      newest: formatInstant(old.receivedAt),
      floor: floors.get(logShard),
      frozen_minutes: 1,
    });
    expect(await removed()).toBe(count);
  });

  it('ends with the part that it is at, and goes on from there when it starts again', async () => {
    const count = 20 * limits.retentionEvents;
    await append(place, [...someEvents(count, old), ...someEvents(1)]);
    await open();
    const { retention, lines } = start();
    await vi.waitFor(async () => expect(await removed()).toBeGreaterThan(0), patience);
    await retention.stop();
    const done = await removed();
    expect(done % limits.retentionEvents).toBe(0);
    expect(done).toBeLessThan(count);
    expect(lines).toMatchObject([{ events: done }]);
    start();
    await vi.waitFor(async () => expect(await removed()).toBe(count), patience);
  });

  it('leaves it to another process that is at it, and looks again later', async () => {
    await append(place, [...someEvents(5, old), ...someEvents(1)]);
    await open();
    const { store } = engines;
    const lease = await store.acquireLease(leasePrefixes.retention, 'another', 60_000);
    if (lease === undefined) throw new Error('the lease is not free');
    const clock = manualClock(Date.now());
    const { lines } = start({ clock });
    await clock.advance(limits.retentionEveryMs - 1);
    expect(await removed()).toBe(0);
    await store.releaseLease(lease);
    await vi.waitFor(async () => {
      await clock.advance(limits.retentionEveryMs);
      expect(lines).toMatchObject([{ events: 5 }]);
    }, patience);
  });

  describe('whose lease runs out while it rests', () => {
    /** Each rest begins with the end of the lease, as after a part that took long, and then with `meanwhile`. */
    const startSlow = (meanwhile: () => Promise<unknown>) => {
      const { store } = engines;
      let lease: Lease | undefined;
      const acquireLease: typeof store.acquireLease = async (...args) => {
        lease = await store.acquireLease(...args);
        return lease;
      };
      const sleep: typeof systemClock.sleep = async (ms, signal) => {
        if (lease !== undefined) await store.releaseLease(lease);
        await meanwhile();
        await systemClock.sleep(ms, signal);
      };
      const clock = { ...systemClock, sleep };
      return start({ clock, store: { ...store, acquireLease } });
    };
    const count = 2 * limits.retentionEvents + 7;
    beforeEach(async () => {
      await append(place, [...someEvents(count, old), ...someEvents(1)]);
      await open();
    });

    it('goes on under a new one', async () => {
      const { lines } = startSlow(async () => undefined);
      await vi.waitFor(() => expect(lines).toHaveLength(1), patience);
      expect(lines).toMatchObject([{ msg: 'removed what was too old', events: count }]);
      const other = await engines.store.acquireLease(leasePrefixes.retention, 'another', 1);
      expect(other).toBeDefined();
    });

    it('leaves the rest to another process that has taken it meanwhile', async () => {
      const { store } = engines;
      const { lines } = startSlow(() =>
        store.acquireLease(leasePrefixes.retention, 'another', 60_000),
      );
      await vi.waitFor(() => expect(lines).toHaveLength(2), patience);
      expect(lines).toMatchObject([
        { events: limits.retentionEvents },
        { level: 40, msg: 'another process has begun to remove what is too old' },
      ]);
      expect(await removed()).toBe(limits.retentionEvents);
    });
  });

  it('removes again and again what becomes too old', async () => {
    const at = Date.now() - retentionMs;
    const events = [1, 2, 3].map((minutes) => ({ receivedAt: at + minutes * minuteMs }));
    await append(place, [...events.flatMap((each) => someEvents(2, each)), ...someEvents(1)]);
    await open();
    const clock = manualClock(Date.now());
    const { lines } = start({ clock });
    await vi.waitFor(async () => {
      await clock.advance(minuteMs / 2);
      expect(lines.length).toBeGreaterThan(0);
    }, patience);
    await vi.waitFor(async () => {
      await clock.advance(limits.retentionEveryMs);
      expect(await removed()).toBe(6);
    }, patience);
  });

  it('goes on trying while the store fails, and says so once', async () => {
    await append(place, someEvents(2, old));
    await open();
    await engines.store.close();
    await engines.log.close();
    const clock = manualClock(Date.now());
    const { lines } = start({ clock });
    for (let tries = 0; tries < 20; tries += 1) await clock.advance(limits.retryMaxMs);
    await vi.waitFor(async () => {
      await clock.advance(limits.retryMaxMs);
      expect(lines).toMatchObject([{ level: 40, msg: 'retention fails and tries again' }]);
    }, patience);
    await open();
  });
});

describeWithEngines('retention behind a log of its own', ['redis', 'mongo'], () => {
  beforeEach(async () => {
    place = await newServers();
  });

  it('removes nothing that the log still holds', async () => {
    await append(place, someEvents(130, old));
    await open();
    const clock = manualClock(Date.now());
    const { lines } = start({ clock });
    for (let looks = 0; looks < 5; looks += 1) await clock.advance(limits.retentionEveryMs);
    expect(await removed()).toBe(0);
    await trimRedis(place.log);
    const trimmedTo = await engines.log.trimmedTo(logShard);
    await vi.waitFor(async () => {
      await clock.advance(limits.retentionEveryMs);
      expect(lines).toMatchObject([{ events: 30, floor: trimmedTo }]);
    }, patience);
  });
});

describeWithEngines('retention behind a log of several shards', ['kafka', 'mongo'], () => {
  it('removes of each shard what that has let go of, and says so for each', async () => {
    const { log: url, store: storeUrl } = await kafkaEngines();
    const users = Array.from({ length: 60 }, (_, index) => `u${index}`);
    const events = users.map((userId) => anEvent({ ...old, userId }));
    const filling = await openKafkaLog(url, { exclusive: true });
    await filling.append([{ events, atomic: false }]);
    await filling.close();
    const clock = manualClock(Date.now());
    const log = await openKafkaLog(url, { exclusive: true, clock });
    const store = await openMongoStore(storeUrl, { exclusive: true, isLogSharded: true });
    const close = async () => void (await Promise.all([log.close(), store.close()]));
    engines = { log, store, close };
    place = { ...(await newFile()), log: url, store: storeUrl };
    const entries = new Map<string, readonly LogEntry[]>();
    for (const shard of await log.shards()) {
      const read = await readShard(log, shard);
      const last = read.at(-1);
      if (last === undefined) continue;
      await store.record(shard, read);
      await log.trim(last.position);
      entries.set(shard, read);
    }
    await clock.advance(2 * 60 * minuteMs);
    const [held, ...others] = [...entries].filter(([, { length }]) => length > 2);
    const expected = new Map<string, number>();
    for (const [shard, read] of others) {
      await log.trim(read.at(-1)?.position as Position);
      const trimmedTo = (await log.trimmedTo(shard)) ?? '';
      expected.set(shard, read.filter(({ position }) => position <= trimmedTo).length);
    }
    expect(held).toBeDefined();
    expect(Math.min(...expected.values())).toBeGreaterThan(0);
    const { lines } = start({ clock, isEmbedded: false });
    await vi.waitFor(async () => {
      await clock.advance(10);
      expect(lines).toHaveLength(expected.size);
    }, patience);
    const told = lines as readonly unknown[] as readonly { shard: string; events: number }[];
    expect(new Map(told.map((line) => [line.shard, line.events]))).toEqual(expected);
    expect([...(await store.retained()).floors.keys()].toSorted()).toEqual(
      [...expected.keys()].toSorted(),
    );
    await removeTopic(url);
  });
});

async function readShard(log: EventLog, shard: string): Promise<readonly LogEntry[]> {
  const { signal } = new AbortController();
  const entries: LogEntry[] = [];
  for await (const batch of log.read({ from: 'start', shard, follow: false, limit: 500, signal })) {
    entries.push(...batch);
  }
  return entries;
}
