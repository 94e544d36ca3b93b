import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { limits } from '../../src/base/limits.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { EventLog, Position } from '../../src/log/event-log.ts';
import { ShardReaders } from '../../src/readers/shard-readers.ts';
import type { EventStore } from '../../src/store/event-store.ts';
import { openMongoStore } from '../../src/store/mongo/mongo-store.ts';
import { positionOf } from '../log/event-log.suite.ts';
import { anEvent } from '../support/build-event.ts';
import { sharedKafka, sharedMongo } from '../support/engines/shared-engines.ts';
import { openLog, removeTopic, topicOf, withAdmin } from '../support/kafka-harness.ts';
import { describeWithEngines } from '../support/needed-program.ts';

/** Within this the part of a reader that died or joined is read by its new owner. */
const takeover = { timeout: 20_000, interval: 50 };
/** Well above what a slow machine takes. */
const patience = { timeout: 30_000, interval: 50 };

/** A process that reads: its own log, store and readers. */
interface Member {
  readonly readers: ShardReaders;
  /** Nothing that it asks of the store is done before it is thawed. */
  freeze(): void;
  thaw(): void;
  leave(): Promise<void>;
}

describeWithEngines('the readers of a sharded log', ['kafka', 'mongo'], () => {
  let url: string;
  let mongoUrl: string;
  let log: EventLog;
  let store: EventStore;
  let members: Member[];
  beforeEach(async () => {
    [url, mongoUrl] = await Promise.all([sharedKafka(), sharedMongo()]);
    members = [];
    log = await openLog(url);
    store = await openStore();
  });
  afterEach(async () => {
    await Promise.all(members.map((member) => member.leave()));
    await Promise.all([log.close(), store.close()]);
    await removeTopic(url);
    const client = new MongoClient(mongoUrl);
    await client.db().dropDatabase();
    await client.close();
  });

  const openStore = () => openMongoStore(mongoUrl, { exclusive: true, isLogSharded: true });
  const join = async (holder: string): Promise<Member> => {
    const [ownLog, ownStore] = await Promise.all([openLog(url), openStore()]);
    const freezer = freezable(ownStore);
    const deps = { log: ownLog, clock: systemClock, logger: silentLogger, holder };
    const readers = new ShardReaders({ ...deps, store: freezer.store });
    readers.start();
    let left: Promise<void> | undefined;
    const leave = async () => {
      freezer.thaw();
      await readers.stop();
      await Promise.all([ownLog.close(), ownStore.close()]);
    };
    const member: Member = {
      readers,
      freeze: freezer.freeze,
      thaw: freezer.thaw,
      leave: () => {
        left ??= leave();
        return left;
      },
    };
    members.push(member);
    return member;
  };
  const partsOf = (...some: readonly Member[]) => some.map(({ readers }) => readers.active);

  /** Appends until it is told to end; the answer is how many events. */
  const appendOn = () => {
    const abort = new AbortController();
    const appending = (async () => {
      let count = 0;
      while (!abort.signal.aborted) {
        const events = Array.from({ length: 10 }, (_, index) =>
          anEvent({ userId: `user ${(count + index) % 50}` }),
        );
        await log.append([{ events, atomic: false }]);
        count += events.length;
        await systemClock.sleep(20);
      }
      return count;
    })();
    return () => {
      abort.abort();
      return appending;
    };
  };
  const untilArchived = async () => {
    const end = await log.end();
    const places = end === undefined ? new Map<string, Position>() : log.placesIn(end);
    await store.reached(places, AbortSignal.timeout(patience.timeout));
  };
  const stored = async () => {
    const window = { from: 0, to: Date.UTC(2100, 0, 1), filter: {} };
    const { buckets } = await store.aggregate(window);
    return buckets.reduce((sum, { eventCount }) => sum + eventCount, 0);
  };

  it('share it evenly as they join and leave, and record each event once meanwhile', async () => {
    const endAppending = appendOn();
    const a = await join('a');
    await expect.poll(() => partsOf(a), takeover).toEqual([6]);
    const b = await join('b');
    await expect.poll(() => partsOf(a, b), takeover).toEqual([3, 3]);
    const c = await join('c');
    await expect.poll(() => partsOf(a, b, c), takeover).toEqual([2, 2, 2]);
    await b.leave();
    await expect.poll(() => partsOf(a, c), takeover).toEqual([3, 3]);
    const count = await endAppending();
    await untilArchived();
    expect(await stored()).toBe(count);
    expect(await store.verify()).toEqual([]);
    const recorded = members.map(({ readers }) => readers.counts);
    expect(recorded.reduce((sum, counts) => sum + counts.recorded, 0)).toBe(count);
    expect(recorded.every(({ duplicates, conflicts }) => duplicates + conflicts === 0)).toBe(true);
    expect(members.map(({ readers }) => readers.fault)).toEqual([undefined, undefined, undefined]);
  });

  it('take over what a frozen one had, and leave it its part when it is back', async () => {
    const endAppending = appendOn();
    const [a, b] = [await join('a'), await join('b')];
    await expect.poll(() => partsOf(a, b), takeover).toEqual([3, 3]);
    b.freeze();
    await expect.poll(() => partsOf(a), takeover).toEqual([6]);
    b.thaw();
    await expect.poll(() => partsOf(a, b), takeover).toEqual([3, 3]);
    const count = await endAppending();
    await untilArchived();
    expect(await stored()).toBe(count);
    expect(await store.verify()).toEqual([]);
  });

  it('leave alone what another kind of holder has, until that gives it back or is gone', async () => {
    const lease = await store.acquireLease('archive:3', 'event-hub log adopt', 60_000);
    const a = await join('a');
    await expect.poll(() => partsOf(a), takeover).toEqual([5]);
    if (lease !== undefined) await store.releaseLease(lease);
    await expect.poll(() => partsOf(a), takeover).toEqual([6]);
  });

  it('stop in a shard that has lost what comes next, saying what to do, and go on in the others', async () => {
    const lost = Array.from({ length: 3 }, () => anEvent({ userId: 'u1' }));
    const [first, , last] = (await log.append([{ events: lost, atomic: false }]))
      .flat()
      .map(positionOf) as [Position, Position, Position];
    const [shard = ''] = log.placesIn(first).keys();
    await store.record(shard, [{ shard, position: first, event: lost[0] ?? anEvent() }]);
    const offset = BigInt(Number(last.slice(5, 21)));
    const partitions = [{ partition: Number(shard), offset }];
    await withAdmin(url, (admin) =>
      admin.deleteRecords({ topics: [{ name: topicOf(url), partitions }] }),
    );
    const a = await join('a');
    await expect
      .poll(() => a.readers.fault, patience)
      .toMatchObject({
        code: 'position_gone',
        message: expect.stringContaining('event-hub log adopt'),
      });
    await expect.poll(() => a.readers.active, patience).toBe(5);
    const events = Array.from({ length: 60 }, (_, index) => anEvent({ userId: `user ${index}` }));
    const outcomes = (await log.append([{ events, atomic: false }])).flat().map(positionOf);
    const ends = new Map(
      outcomes.map((position) => [...log.placesIn(position)][0] ?? ['', position]),
    );
    expect(ends.delete(shard)).toBe(true);
    await store.reached(ends, AbortSignal.timeout(patience.timeout));
    expect((await store.positions()).get(shard)).toBe(first);
  });

  it('tell Kafka how far they are, beside the store, which alone they go by', async () => {
    const events = Array.from({ length: 60 }, (_, index) => anEvent({ userId: `user ${index}` }));
    await log.append([{ events, atomic: false }]);
    const a = await join('a');
    await untilArchived();
    const groupId = `event-hub-${topicOf(url)}`;
    const committed = async () => {
      const [group] = await withAdmin(url, (admin) =>
        admin.listConsumerGroupOffsets({ groups: [groupId] }),
      );
      const partitions = group?.topics[0]?.partitions ?? [];
      return new Map(
        partitions.map((each) => [String(each.partitionIndex), Number(each.committedOffset)]),
      );
    };
    const next = new Map(
      [...(await store.positions())].map(([shard, position]) => [
        shard,
        Number(position.slice(5, 21)) + 1,
      ]),
    );
    expect(next.size).toBe(limits.kafkaPartitions);
    await expect.poll(committed, patience).toEqual(next);
    await a.leave();
    // Somebody who moves them moves nothing of the hub.
    const partitionOffsets = [...next.keys()].map((shard) => ({
      partition: Number(shard),
      offset: 0n,
    }));
    const topics = [{ name: topicOf(url), partitionOffsets }];
    await withAdmin(url, (admin) => admin.alterConsumerGroupOffsets({ groupId, topics }));
    const b = await join('b');
    await log.append([{ events: [anEvent()], atomic: false }]);
    await untilArchived();
    expect(b.readers.counts).toMatchObject({ recorded: 1, duplicates: 0 });
    expect(await stored()).toBe(events.length + 1);
  });
});

/** A store whose answers can be held back, as those of a process that is frozen. */
function freezable(store: EventStore) {
  let thawed = Promise.withResolvers<void>();
  thawed.resolve();
  const held = <Args extends readonly unknown[], T>(call: (...args: Args) => Promise<T>) => {
    return async (...args: Args): Promise<T> => {
      await thawed.promise;
      return await call(...args);
    };
  };
  return {
    store: {
      ...store,
      acquireLease: held(store.acquireLease),
      releaseLease: held(store.releaseLease),
      leaseNames: held(store.leaseNames),
      record: held(store.record),
      positions: held(store.positions),
    },
    freeze: () => {
      thawed = Promise.withResolvers<void>();
    },
    thaw: () => thawed.resolve(),
  };
}
