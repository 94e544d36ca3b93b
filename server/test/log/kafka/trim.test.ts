import fc from 'fast-check';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import type { NewEvent } from '../../../src/event/event.ts';
import { Cursor, ownPlacesOf } from '../../../src/log/cursor.ts';
import type { EventLog, LogEntry, Position } from '../../../src/log/event-log.ts';
import { formatPosition } from '../../../src/log/kafka/kafka-position.ts';
import { withTrimmedHistory } from '../../../src/log/trimmed-history.ts';
import { cutOf } from '../../../src/readers/remove-old-events.ts';
import type { EventStore } from '../../../src/store/event-store.ts';
import { openMongoStore } from '../../../src/store/mongo/mongo-store.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { sharedKafka, sharedMongo } from '../../support/engines/shared-engines.ts';
import { deleteTopic, openLog, removeTopic } from '../../support/kafka-harness.ts';
import { createTopic, growTopic } from '../../support/kafka-topic.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { positionOf, readAll } from '../event-log.suite.ts';

const minute = 60_000;
const hour = 60 * minute;

describeWithEngines('trimming a log in Kafka', ['kafka'], () => {
  let url: string;
  let log: EventLog;
  let clock: ManualClock;
  const reopen = async (keepMs?: number) => {
    await log?.close();
    log = await openLog(url, { clock, ...(keepMs === undefined ? {} : { keepMs }) });
  };
  beforeEach(async () => {
    url = await sharedKafka();
    clock = manualClock(Date.UTC(2026, 5, 30));
    log = await openLog(url, { clock });
  });
  afterEach(async () => {
    await log.close();
    await removeTopic(url);
  });

  /** Of one user, and so in one partition. */
  const append = async (events: readonly NewEvent[]) =>
    (await log.append([{ events, atomic: false }])).flat().map(positionOf);
  const at = (positions: readonly Position[], index: number): Position => {
    const position = positions.at(index);
    if (position === undefined) throw new Error(`there is no position ${index}`);
    return position;
  };
  const ids = async (from: Position | 'start' = 'start') =>
    (await readAll(log, from)).map(({ event }) => event.id);
  const idsOf = (events: readonly NewEvent[]) => events.map(({ id }) => id);
  const shardOf = (position: Position) => [...log.placesIn(position).keys()].join();

  it('waits for an hour after the archiving, however old the entries are', async () => {
    const events = someEvents(50);
    const positions = await append(events);
    const end = at(positions, -1);
    await clock.advance(100 * hour);
    await log.trim(end);
    await clock.advance(hour - 1);
    await log.trim(end);
    expect(await log.trimmedTo(shardOf(end))).toBeUndefined();
    expect(await ids()).toEqual(idsOf(events));
    await clock.advance(minute);
    await log.trim(end);
    // The entry at the archive's position stays.
    expect((await log.trimmedTo(shardOf(end)))?.slice(0, 21)).toBe(at(positions, -2).slice(0, 21));
    expect(await ids()).toEqual(idsOf(events.slice(-1)));
  });

  it('waits for the configured age', async () => {
    await reopen(5 * hour);
    const events = someEvents(20);
    const positions = await append(events);
    const end = at(positions, -1);
    await log.trim(end);
    await clock.advance(5 * hour - minute);
    await log.trim(end);
    expect(await ids()).toEqual(idsOf(events));
    await clock.advance(2 * minute);
    await log.trim(end);
    expect(await ids()).toEqual(idsOf(events.slice(-1)));
  });

  it('removes nothing that was archived later, and after a takeover waits again', async () => {
    const [first, second] = [someEvents(20), someEvents(30)];
    const early = await append(first);
    await log.trim(at(early, -1));
    await clock.advance(40 * minute);
    const late = at(await append(second), -1);
    await log.trim(late);
    await clock.advance(21 * minute);
    await log.trim(late);
    expect(await ids()).toEqual(idsOf([...first.slice(-1), ...second]));
    await reopen();
    await clock.advance(50 * minute);
    await log.trim(late);
    expect(await ids()).toEqual(idsOf([...first.slice(-1), ...second]));
    await clock.advance(hour);
    await log.trim(late);
    expect(await ids()).toEqual(idsOf(second.slice(-1)));
  });

  it('goes on removing while the archive goes on', async () => {
    const rounds: NewEvent[] = [];
    let end: Position | undefined;
    for (let round = 0; round < 30; round += 1) {
      const events = someEvents(10);
      rounds.push(...events);
      end = at(await append(events), -1);
      await log.trim(end);
      await clock.advance(5 * minute);
    }
    // What was archived in the last hour and its entry before are there.
    const left = await ids();
    expect(left).toEqual(idsOf(rounds.slice(-left.length)));
    expect(left.length).toBeGreaterThanOrEqual(120);
    expect(left.length).toBeLessThanOrEqual(150);
  });

  it('leaves the other partitions as they are', async () => {
    const others = Array.from({ length: 60 }, (_, index) => anEvent({ userId: `user ${index}` }));
    const end = at(await append(someEvents(20)), -1);
    await append(others);
    const before = (await readAll(log)).filter(({ shard }) => shard !== shardOf(end));
    await log.trim(end);
    await clock.advance(2 * hour);
    await log.trim(end);
    const after = (await readAll(log)).filter(({ shard }) => shard !== shardOf(end));
    expect(after).toHaveLength(before.length);
    for (const shard of await log.shards()) {
      const isTrimmed = (await log.trimmedTo(shard)) !== undefined;
      expect(isTrimmed).toBe(shard === shardOf(end));
    }
  });

  it('refuses to read after what it removed, as something would be missing', async () => {
    const events = someEvents(50);
    const positions = await append(events);
    const end = at(positions, 39);
    await log.trim(end);
    await clock.advance(hour + minute);
    await log.trim(end);
    const reader = (index: number) =>
      log.positionAt(log.placesIn(at(positions, index))) as Position;
    for (const index of [0, 20, 37]) {
      await expect(ids(reader(index))).rejects.toMatchObject({ code: 'position_gone' });
    }
    // Nothing is missing after the newest that was removed.
    expect(await ids(reader(38))).toEqual(idsOf(events.slice(39)));
    expect(await ids(at(positions, 39))).toEqual(idsOf(events.slice(40)));
    const removedTo = (await log.trimmedTo(shardOf(end))) as Position;
    const after = log.positionAt(log.placesIn(removedTo)) as Position;
    expect(await ids(after)).toEqual(idsOf(events.slice(39)));
    await expect(ids(at(positions, 20))).rejects.toMatchObject({ code: 'position_gone' });
  });

  it('takes nothing from a topic that took the place of its own, and does not go by what that removed', async () => {
    const positions = await append(someEvents(10));
    const end = at(positions, -1);
    const shard = shardOf(end);
    await log.trim(end);
    await clock.advance(hour + minute);
    await deleteTopic(url);
    await createTopic(url);
    const next = await openLog(url, { clock: manualClock(clock.now()) });
    onTestFinished(() => next.close());
    const events = someEvents(20);
    await next.append([{ events, atomic: false }]);
    await expect(log.trim(end)).rejects.toMatchObject({
      message: expect.stringContaining('it was deleted and made again'),
    });
    expect(await readAll(next)).toHaveLength(events.length);
    await expect(log.trimmedTo(shard)).rejects.toMatchObject({ code: 'position_gone' });
  });

  it('leaves a place that a restarted hub finds, though everything is archived', async () => {
    const positions = await append(someEvents(10));
    await log.trim(at(positions, -1));
    await clock.advance(2 * hour);
    await log.trim(at(positions, -1));
    await reopen();
    expect(await ids(at(positions, -1))).toEqual([]);
    const later = someEvents(2);
    await append(later);
    expect(await ids(at(positions, -1))).toEqual(idsOf(later));
    expect(await log.end()).toBeDefined();
  });
});

describeWithEngines('trimmed history of a log in Kafka', ['kafka', 'mongo'], () => {
  let url: string;
  let mongoUrl: string;
  let clock: ManualClock;
  let bare: EventLog;
  let store: EventStore;
  let log: EventLog;
  beforeEach(async () => {
    [url, mongoUrl] = await Promise.all([sharedKafka(), sharedMongo()]);
    clock = manualClock(Date.UTC(2026, 5, 30));
    bare = await openLog(url, { clock });
    store = await openMongoStore(mongoUrl, { exclusive: true, isLogSharded: true });
    log = withTrimmedHistory(bare, store);
  });
  afterEach(async () => {
    await Promise.all([bare.close(), store.close()]);
    await removeTopic(url);
    const client = new MongoClient(mongoUrl);
    await client.db().dropDatabase();
    await client.close();
  });

  const eventsOfMany = (count: number) =>
    Array.from({ length: count }, (_, index) => anEvent({ userId: `user ${(index * 7) % 40}` }));
  const append = async (events: readonly NewEvent[]) =>
    (await bare.append([{ events, atomic: false }])).flat().map(positionOf);
  const archive = async () => {
    for (const [shard, entries] of Map.groupBy(await readAll(bare), (entry) => entry.shard)) {
      await store.record(shard, entries, { isOwn: ownPlacesOf(bare) });
    }
  };
  /** All but the newest in some shards; in one of them, only a part; one is left whole. */
  const trim = async () => {
    const ends = await store.positions();
    const marks = [...ends].filter(([shard]) => shard !== '5').map(([, position]) => position);
    for (const position of marks) await bare.trim(position);
    await clock.advance(2 * hour);
    for (const position of marks) await bare.trim(position);
  };
  const byShard = (entries: readonly LogEntry[]) =>
    Object.fromEntries(
      [...Map.groupBy(entries, ({ shard }) => shard)].map(([shard, own]) => [
        shard,
        own.map(({ event }) => event.id),
      ]),
    );

  it('is read from the store, then the log, from the start and any place of a reader', async () => {
    await append(eventsOfMany(150));
    await archive();
    const first = await readAll(bare);
    await trim();
    await append(eventsOfMany(40));
    expect((await readAll(bare)).length).toBeLessThan(150);
    const all = await readAll(log);
    expect(all).toHaveLength(190);
    const firstIds = new Set(first.map(({ event }) => event.id));
    expect(byShard(all.filter(({ event }) => firstIds.has(event.id)))).toEqual(byShard(first));
    const cursor = new Cursor(log);
    const taken = all.map((entry) => cursor.take(entry).position);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: all.length - 1 }), async (index) => {
        const rest = await readAll(log, taken[index] as Position);
        expect(byShard(rest)).toEqual(byShard(all.slice(index + 1)));
      }),
      { numRuns: 30 },
    );
  });

  /** The oldest half of what only the store holds, by shard. */
  const retain = async () => {
    for (const shard of await bare.shards()) {
      const cut = await cutOf({ log: bare, isEmbedded: false }, shard, Number.MAX_SAFE_INTEGER);
      if (cut === undefined) continue;
      const preview = await store.previewRemoval(shard, cut);
      await store.removeOldest(shard, cut, Math.ceil((preview?.events ?? 0) / 2));
    }
    return (await store.retained()).floors;
  };

  it('begins at the oldest that retention has left in each shard', async () => {
    await append(eventsOfMany(150));
    await archive();
    const whole = byShard(await readAll(bare));
    await trim();
    const floors = await retain();
    expect(floors.size).toBeGreaterThan(2);
    const all = await readAll(log);
    expect(all.length).toBeLessThan(150);
    for (const [shard, left] of Object.entries(byShard(all))) {
      const own = whole[shard] ?? [];
      expect(left).toEqual(own.slice(own.length - left.length));
      expect(left.length < own.length).toBe(floors.has(shard));
    }
    const cursor = new Cursor(log);
    const taken = all.map((entry) => cursor.take(entry).position);
    for (const index of [0, 20, 60, all.length - 1]) {
      const rest = await readAll(log, taken[index] as Position);
      expect(byShard(rest)).toEqual(byShard(all.slice(index + 1)));
    }
  });

  it('is gone for a place before what retention removed, and names one that is behind it in all shards', async () => {
    await append(eventsOfMany(150));
    await archive();
    await trim();
    const before = await readAll(log);
    const cursor = new Cursor(log);
    const taken = before.map((entry) => cursor.take(entry).position);
    const floors = await retain();
    const removed = new Set(
      before
        .filter(({ shard, position }) => position <= (floors.get(shard) ?? ''))
        .map(({ event }) => event.id),
    );
    let refused = 0;
    for (const [index, from] of taken.entries()) {
      if (index % 5 !== 0) continue;
      const rest = before.slice(index + 1);
      const kept = byShard(rest.filter(({ event }) => !removed.has(event.id)));
      // A shard of which nothing was read yet begins at its oldest, and is not refused.
      const read = await readAll(log, from as Position).catch(async (gone) => {
        expect(gone).toMatchObject({ code: 'position_gone', position: expect.any(String) });
        refused += 1;
        return await readAll(log, gone.position);
      });
      expect(byShard(read)).toEqual(kept);
    }
    expect(refused).toBeGreaterThan(3);
  });

  /** From all places of a reader, one in so many, just what was read behind them. */
  const expectRests = async (all: readonly LogEntry[], step: number) => {
    const cursor = new Cursor(log);
    for (const [index, entry] of all.entries()) {
      const { position } = cursor.take(entry);
      if (index % step !== 0) continue;
      expect(byShard(await readAll(log, position))).toEqual(byShard(all.slice(index + 1)));
    }
  };

  it('has nothing to do with what is left of a topic that this one took the place of', async () => {
    const others = eventsOfMany(3).map((event, index) => {
      const place = { partition: 0, offset: 1_000 + index, fingerprint: '00000000' };
      const position = formatPosition(place, { topicId: '00000000', partitions: 6 });
      return { shard: '0', position, event };
    });
    await store.record('0', others);
    const cut = { receivedBefore: Number.MAX_SAFE_INTEGER };
    expect(await store.removeOldest('0', cut, 10)).toMatchObject({ events: 2 });
    await store.resetPosition('0', undefined);
    await append(eventsOfMany(150));
    await archive();
    const whole = byShard(await readAll(bare));
    await trim();
    const all = await readAll(log);
    expect(byShard(all)).toEqual(whole);
    await expectRests(all, 10);
    for (const { position } of others) {
      await expect(readAll(log, position)).rejects.toMatchObject({
        code: 'position_gone',
        position: 'start',
      });
    }
    const floor = (await retain()).get('0') as Position;
    expect(bare.ownPlace(floor)).toBe(floor);
    const [first] = all.filter(({ shard }) => shard === '0');
    await expect(readAll(log, first?.position)).rejects.toMatchObject({
      code: 'position_gone',
      position: expect.stringMatching(/^v-/),
    });
  });

  /** What is in the topic now, as `event-hub log adopt` does. */
  const adopt = async () => {
    await bare.close();
    bare = await openLog(url, { clock });
    log = withTrimmedHistory(bare, store);
    for (const shard of await bare.shards()) {
      await store.resetPosition(shard, await bare.trimmedTo(shard));
    }
  };

  it('has what a topic was filled with that was made anew, where that has it', async () => {
    const events = eventsOfMany(150);
    await append(events);
    await archive();
    await trim();
    await deleteTopic(url);
    await createTopic(url);
    await adopt();
    // What was lost and what is new, in another order than before.
    await append([...eventsOfMany(20), ...events.toReversed().slice(0, 120)]);
    await archive();
    const whole = byShard(await readAll(bare));
    await trim();
    const all = await readAll(log);
    expect(byShard(all)).toEqual(whole);
    expect(all).toHaveLength(140);
    await expectRests(all, 10);
    expect(await store.verify()).toEqual([]);
    expect(await store.rebuild()).toBe(0);
  });

  it('goes on in a topic that has grown, with all that it was before', async () => {
    await append(eventsOfMany(150));
    await archive();
    await trim();
    await retain();
    const before = await readAll(log);
    await growTopic(url, 9);
    await adopt();
    expect(await bare.shards()).toHaveLength(9);
    await append(eventsOfMany(60));
    await archive();
    await trim();
    const all = await readAll(log);
    const known = new Set(before.map(({ event }) => event.id));
    expect(byShard(all.filter(({ event }) => known.has(event.id)))).toEqual(byShard(before));
    expect(all).toHaveLength(before.length + 60);
    await expectRests(all, 10);
  });

  it('has no gap after the position of an entry that was removed', async () => {
    const events = eventsOfMany(120);
    await append(events);
    await archive();
    await trim();
    const all = await readAll(log);
    for (const index of [0, 25, 70, 119]) {
      const { position, shard, event } = all[index] as LogEntry;
      const rest = await readAll(log, position);
      const own = all.filter((entry) => entry.shard === shard);
      const at = own.findIndex((entry) => entry.event.id === event.id);
      expect(byShard(rest)[shard] ?? []).toEqual(own.slice(at + 1).map((entry) => entry.event.id));
      const others = new Set(rest.map((entry) => entry.event.id));
      const missed = all.filter(
        (entry) =>
          entry.shard !== shard &&
          entry.event.receivedAt >= event.receivedAt - limits.kafkaClockSkewMs &&
          !others.has(entry.event.id),
      );
      expect(missed).toEqual([]);
    }
  });

  it('has no gap and no repeat when the log is trimmed while it is read', async () => {
    await append(eventsOfMany(200));
    await archive();
    const expected = byShard(await readAll(bare));
    const { signal } = new AbortController();
    const seen: LogEntry[] = [];
    let isTrimmed = false;
    for await (const batch of log.read({ from: 'start', follow: false, limit: 5, signal })) {
      seen.push(...batch);
      if (seen.length >= 20 && !isTrimmed) {
        isTrimmed = true;
        await trim();
      }
    }
    expect(byShard(seen)).toEqual(expected);
  });

  it('goes on live', async () => {
    const events = eventsOfMany(100);
    await append(events);
    await archive();
    await trim();
    const abort = new AbortController();
    const later = eventsOfMany(30);
    const seen: LogEntry[] = [];
    for await (const batch of log.read({
      from: 'start',
      follow: true,
      limit: 50,
      signal: abort.signal,
    })) {
      seen.push(...batch);
      if (seen.length === events.length) await append(later);
      if (seen.length === events.length + later.length) abort.abort();
    }
    const ids = seen.map(({ event }) => event.id);
    expect(ids.toSorted()).toEqual([...events, ...later].map(({ id }) => id).toSorted());
  });

  it('is gone where neither of them holds the position', async () => {
    await append(eventsOfMany(80));
    await archive();
    const [first] = await readAll(bare);
    await trim();
    // Of another topic, and of what was never archived.
    const { position } = first as LogEntry;
    const foreign = position.replace(/-[0-9a-f]{8}-(\d{4})-/, '-00000000-$1-') as Position;
    await expect(readAll(log, foreign)).rejects.toMatchObject({ code: 'position_gone' });
    const beyond = position.replace(/-\d{16}-/, '-0000000000009999-') as Position;
    await expect(readAll(log, beyond)).rejects.toMatchObject({ code: 'position_gone' });
  });
});
