import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/base/limits.ts';
import type { NewEvent } from '../../src/event/event.ts';
import type { EventLog, Position } from '../../src/log/event-log.ts';
import { logShard } from '../../src/log/one-shard.ts';
import { withTrimmedHistory } from '../../src/log/trimmed-history.ts';
import type { EventStore } from '../../src/store/event-store.ts';
import { openMongoStore } from '../../src/store/mongo/mongo-store.ts';
import { someEvents } from '../support/build-event.ts';
import { freshName, sharedMongo, sharedRedis } from '../support/engines/shared-engines.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { command, openLog, redisLogHarness } from '../support/redis-harness.ts';
import { eventLogSuite, positionOf, readAll } from './event-log.suite.ts';

const hour = 60 * 60_000;
const margin = limits.redisTrimMargin;

describeWithEngines('trimmed history', ['redis', 'mongo'], () => {
  let server: string;
  let stream: string;
  let clock: ManualClock;
  let bare: EventLog;
  let store: EventStore;
  let log: EventLog;
  let mongoUrl: string;

  beforeEach(async () => {
    [server, mongoUrl] = await Promise.all([sharedRedis(), sharedMongo()]);
    stream = freshName('events');
    const [seconds = ''] = (await command(server, 'TIME')) as readonly string[];
    clock = manualClock(Number(seconds) * 1_000 + 5_000);
    bare = await openLog(`${server}/0?stream=${stream}`, { clock });
    store = await openMongoStore(mongoUrl, { exclusive: true });
    log = withTrimmedHistory(bare, store);
  });
  afterEach(async () => {
    await Promise.all([bare.close(), store.close()]);
    await command(server, 'DEL', stream, `${stream}:hub`, `${stream}:ids`);
    const client = new MongoClient(mongoUrl);
    await client.db().dropDatabase();
    await client.close();
  });

  const append = async (events: readonly NewEvent[]): Promise<readonly Position[]> =>
    (await bare.append([{ events, atomic: false }])).flat().map(positionOf);
  const archive = async () => {
    const from = (await store.positions()).get(logShard) ?? 'start';
    await store.record(logShard, await readAll(bare, from));
  };
  /** All but the newest few. */
  const trim = async () => {
    const end = (await store.positions()).get(logShard) as Position;
    await bare.trim(end);
    await clock.advance(2 * hour);
    await bare.trim(end);
  };
  const idsFrom = async (from: Position | 'start') =>
    (await readAll(log, from)).map(({ event }) => event.id);
  const idsOf = (events: readonly NewEvent[]) => events.map(({ id }) => id);

  it('is read from the store, then the log, from the start and from any position', async () => {
    const events = someEvents(margin + 60);
    const positions = await append(events);
    await archive();
    await trim();
    const later = someEvents(5);
    await append(later);
    expect(await bare.trimmedTo(logShard)).toBe(positions[59]);
    expect(await idsFrom('start')).toEqual(idsOf([...events, ...later]));
    for (const index of [0, 30, 58, 59, 60, margin]) {
      const rest = idsOf([...events.slice(index + 1), ...later]);
      expect(await idsFrom(positions[index] as Position)).toEqual(rest);
    }
  });

  it('has no gap and no repeat when the log is trimmed while it is read', async () => {
    const events = someEvents(margin + 80);
    await append(events);
    await archive();
    const { signal } = new AbortController();
    const read = log.read({ from: 'start', follow: false, limit: 10, signal });
    const seen: string[] = [];
    for await (const batch of read) {
      seen.push(...batch.map(({ event }) => event.id));
      if (seen.length === 20) await trim();
    }
    expect(await bare.trimmedTo(logShard)).toBeDefined();
    expect(seen).toEqual(idsOf(events));
  });

  it('goes on live', async () => {
    const events = someEvents(margin + 10);
    await append(events);
    await archive();
    await trim();
    const abort = new AbortController();
    const read = log.read({ from: 'start', follow: true, limit: 50, signal: abort.signal });
    const later = someEvents(3);
    const seen: string[] = [];
    for await (const batch of read) {
      seen.push(...batch.map(({ event }) => event.id));
      if (seen.length === events.length) await append(later);
      if (seen.length === events.length + later.length) abort.abort();
    }
    expect(seen).toEqual(idsOf([...events, ...later]));
  });

  /** The oldest so many, of those that only the store still holds. */
  const retain = async (count: number) => {
    const upTo = await bare.trimmedTo(logShard);
    const cut = {
      receivedBefore: Number.MAX_SAFE_INTEGER,
      ...(upTo === undefined ? {} : { upTo }),
    };
    return await store.removeOldest(logShard, cut, count);
  };

  it('begins at the oldest that retention has left, and goes on behind its floor', async () => {
    const events = someEvents(margin + 60);
    const positions = await append(events);
    await archive();
    await trim();
    expect(await retain(40)).toMatchObject({ events: 40, floor: positions[39] });
    const later = someEvents(5);
    await append(later);
    expect(await idsFrom('start')).toEqual(idsOf([...events.slice(40), ...later]));
    for (const index of [39, 40, 58, 59, 60, margin]) {
      const rest = idsOf([...events.slice(index + 1), ...later]);
      expect(await idsFrom(positions[index] as Position)).toEqual(rest);
    }
    for (const index of [0, 20, 38]) {
      await expect(idsFrom(positions[index] as Position)).rejects.toMatchObject({
        code: 'position_gone',
        position: positions[39],
      });
    }
    // What the log holds is not removed, and all that it has removed may be.
    expect(await retain(1_000)).toMatchObject({ events: 20, floor: positions[59] });
    expect(await retain(1_000)).toBeUndefined();
    expect(await idsFrom('start')).toEqual(idsOf([...events.slice(60), ...later]));
    await expect(idsFrom(positions[58] as Position)).rejects.toMatchObject({
      position: positions[59],
    });
  });

  it('is gone for a reader that retention overtakes, and goes on where it says', async () => {
    const events = someEvents(margin + 80);
    const positions = await append(events);
    await archive();
    await trim();
    const { signal } = new AbortController();
    const read = log.read({ from: 'start', follow: false, limit: 10, signal });
    const seen: string[] = [];
    const reading = (async () => {
      for await (const batch of read) {
        seen.push(...batch.map(({ event }) => event.id));
        if (seen.length === 20) await retain(50);
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'position_gone', position: positions[49] });
    expect(seen).toEqual(idsOf(events.slice(0, 20)));
    expect(await idsFrom(positions[49] as Position)).toEqual(idsOf(events.slice(50)));
  });

  it('is gone where neither of them holds the position', async () => {
    const positions = await append(someEvents(margin + 10));
    await archive();
    await trim();
    const gone = (positions[2] as string).replace(/.{8}$/, '00000000') as Position;
    await expect(idsFrom(gone)).rejects.toMatchObject({ code: 'position_gone' });
  });
});

describeWithEngines('a log with trimmed history', ['redis', 'mongo'], () => {
  describe('keeps the promises of every log', () => {
    eventLogSuite('on Redis with trimmed history', async () => {
      const store = await openMongoStore(await sharedMongo(), { exclusive: true });
      const harness = await redisLogHarness((log) => withTrimmedHistory(log, store));
      const destroy = async () => {
        await store.close();
        await harness.destroy();
      };
      return { ...harness, destroy };
    });
  });
});
