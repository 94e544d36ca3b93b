import fc from 'fast-check';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { limits } from '../../../src/base/limits.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { type Event, hasSameContent, type NewEvent } from '../../../src/event/event.ts';
import type { AppendGroup, EventLog, Position } from '../../../src/log/event-log.ts';
import { withKnownIds } from '../../../src/log/known-ids.ts';
import { ShardReaders } from '../../../src/readers/shard-readers.ts';
import type { EventStore } from '../../../src/store/event-store.ts';
import { openMongoStore } from '../../../src/store/mongo/mongo-store.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { sharedKafka, sharedMongo } from '../../support/engines/shared-engines.ts';
import { openLog, removeTopic } from '../../support/kafka-harness.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { useKafkaLog } from '../../support/use-kafka-log.ts';
import { positionOf, readAll } from '../event-log.suite.ts';

async function appendTo(log: EventLog, ...events: readonly NewEvent[]) {
  return (await log.append([{ events, atomic: false }])).flat();
}

function idsOf(events: readonly { readonly id: string }[]): readonly string[] {
  return events.map(({ id }) => id);
}

describeWithEngines('appending to Kafka', ['kafka'], () => {
  const topic = useKafkaLog();

  const append = (...events: readonly NewEvent[]) => appendTo(topic.log, ...events);
  const statuses = async (groups: readonly AppendGroup[]) =>
    (await topic.log.append(groups)).map((group) => group.map(({ status }) => status));

  it('knows a repeat by itself, before any store has the first one', async () => {
    const event = anEvent();
    const [first] = await append(event);
    const duplicate = { status: 'duplicate', position: positionOf(first) };
    expect(first?.status).toBe('accepted');
    expect(await append(event, anEvent(), event)).toMatchObject([
      duplicate,
      { status: 'accepted' },
      duplicate,
    ]);
    expect(await append({ ...event, receivedAt: event.receivedAt + 5 })).toEqual([duplicate]);
    expect(await readAll(topic.log)).toHaveLength(2);
  });

  it('knows the repeat of what is still on its way', async () => {
    const event = anEvent();
    const outcomes = (await Promise.all([append(event), append(event), append(event)])).flat();
    expect(outcomes.map(({ status }) => status)).toEqual(['accepted', 'duplicate', 'duplicate']);
    expect(new Set(outcomes.map(positionOf)).size).toBe(1);
    expect(await readAll(topic.log)).toHaveLength(1);
  });

  it('refuses other content under a known id, and keeps the first', async () => {
    const event = anEvent();
    await append(event);
    const other = { ...event, amount: 1n };
    const elsewhere = { ...event, userId: 'somebody in another partition' };
    expect(await append(other, elsewhere)).toEqual([
      { status: 'conflict' },
      { status: 'conflict' },
    ]);
    const group = { events: [anEvent(), other, anEvent()], atomic: true };
    expect(await statuses([group])).toEqual([['not_stored', 'conflict', 'not_stored']]);
    expect((await readAll(topic.log)).map(({ event: { amount } }) => amount)).toEqual([
      event.amount,
    ]);
  });

  it('tells duplicates from conflicts exactly as `hasSameContent` does', async () => {
    const times = [0, 1, 2].map((step) => Date.UTC(2026, 5, 30) + step);
    const content: fc.Arbitrary<Event> = fc.record({
      id: fc.constant('same'),
      userId: fc.constantFrom('u1', 'u2', 'u"1', 'ü'),
      eventType: fc.constantFrom('purchase', 'refund'),
      amount: fc.constantFrom(0n, 1n, 999_999_999_999_000_000n),
      currency: fc.constantFrom('EUR', 'USD'),
      timestamp: fc.constantFrom(...times),
      receivedAt: fc.constantFrom(...times),
      metadata: fc.constantFrom(undefined, '{}', '{"a":"1"}', '{"a":1}'),
    });
    const same = fc.record({ a: content, b: content, isNear: fc.boolean() });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        same,
        fc.boolean(),
        fc.boolean(),
        async ({ a, b, isNear }, atomic, apart) => {
          run += 1;
          const own = { id: `pair-${run}`, idMadeByHub: false };
          const first = { ...a, ...own };
          // Often only the times differ.
          const { timestamp, receivedAt } = b;
          const second = isNear ? { ...first, timestamp, receivedAt } : { ...b, ...own };
          const isSame = hasSameContent(first, second);
          if (apart) {
            await append(first);
            const expected = isSame ? 'duplicate' : 'conflict';
            expect(await statuses([{ events: [second], atomic }])).toEqual([[expected]]);
            return;
          }
          const refused = atomic ? ['not_stored', 'conflict'] : ['accepted', 'conflict'];
          const expected = isSame ? ['accepted', 'duplicate'] : refused;
          expect(await statuses([{ events: [first, second], atomic }])).toEqual([expected]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes thousands of events of many users in one call, each user in order', async () => {
    const events = Array.from({ length: 3_000 }, (_, index) =>
      anEvent({ userId: `user ${index % 30}` }),
    );
    const groups = [
      { events: events.slice(0, 2_000), atomic: false },
      { events: events.slice(2_000), atomic: true },
    ];
    const outcomes = (await topic.log.append(groups)).flat();
    const entries = new Map(
      (await readAll(topic.log)).map((entry) => [entry.position, entry.event.id]),
    );
    expect(entries.size).toBe(events.length);
    expect(outcomes.map((outcome) => entries.get(positionOf(outcome)))).toEqual(idsOf(events));
    for (const user of ['user 0', 'user 17']) {
      const own = (await readAll(topic.log)).filter(({ event }) => event.userId === user);
      expect(own.map(({ event }) => event.id)).toEqual(
        idsOf(events.filter(({ userId }) => userId === user)),
      );
    }
  });

  it('keeps the order of calls that do not wait for each other', async () => {
    const events = someEvents(200);
    await Promise.all(events.map((event) => append(event)));
    expect((await readAll(topic.log)).map(({ event }) => event.id)).toEqual(idsOf(events));
  });

  it('remembers what it wrote for a minute', async () => {
    const clock = manualClock(Date.UTC(2026, 5, 30));
    const own = await openLog(topic.url, { clock });
    onTestFinished(() => own.close());
    const event = anEvent();
    await appendTo(own, event);
    await clock.advance(limits.kafkaRecentMs);
    await appendTo(own, anEvent());
    expect(await appendTo(own, event)).toMatchObject([{ status: 'duplicate' }]);
    await clock.advance(limits.kafkaRecentMs + 1);
    await appendTo(own, anEvent());
    // From here on the store tells, and the archive has the last word.
    expect(await appendTo(own, event)).toMatchObject([{ status: 'accepted' }]);
  });
});

describeWithEngines('two processes on one topic', ['kafka', 'mongo'], () => {
  let url: string;
  let mongoUrl: string;
  let logs: [EventLog, EventLog];
  let store: EventStore;
  let readers: ShardReaders;
  beforeEach(async () => {
    [url, mongoUrl] = await Promise.all([sharedKafka(), sharedMongo()]);
    logs = await Promise.all([openLog(url), openLog(url)]);
    store = await openMongoStore(mongoUrl, { exclusive: true, isLogSharded: true });
    const deps = { log: logs[0], store, clock: systemClock, logger: silentLogger };
    readers = new ShardReaders({ ...deps, holder: 'reader' });
  });
  afterEach(async () => {
    await readers.stop();
    await Promise.all([...logs.map((log) => log.close()), store.close()]);
    await removeTopic(url);
    const client = new MongoClient(mongoUrl);
    await client.db().dropDatabase();
    await client.close();
  });

  const archive = async () => {
    readers.start();
    const end = await logs[0].end();
    if (end === undefined) throw new Error('the log is empty');
    await store.reached(logs[0].placesIn(end), AbortSignal.timeout(30_000));
  };
  const counted = async () => {
    const window = { from: 0, to: Date.UTC(2100, 0, 1), filter: {} };
    const { buckets } = await store.aggregate(window);
    return {
      count: buckets.reduce((sum, { eventCount }) => sum + eventCount, 0),
      total: buckets.reduce((sum, { total }) => sum + total, 0n),
    };
  };

  it('may both accept an event, which is stored and counted once', async () => {
    const events = Array.from({ length: 50 }, (_, index) => anEvent({ userId: `user ${index}` }));
    const outcomes = await Promise.all(logs.map((log) => appendTo(log, ...events)));
    expect(new Set(outcomes.flat().map(({ status }) => status))).toEqual(new Set(['accepted']));
    await archive();
    const page = await store.find({ filter: {}, order: 'asc', limit: 1_000 });
    expect(page.events.map(({ event }) => event.id).toSorted()).toEqual(idsOf(events).toSorted());
    expect((await counted()).count).toBe(events.length);
    expect(await store.verify()).toEqual([]);
    expect(await store.conflicts(10)).toEqual([]);
    expect(readers.counts).toMatchObject({ recorded: 50, duplicates: 50, conflicts: 0 });
  });

  it('may both accept one id with other content: one is stored and counted, the other kept', async () => {
    const events = Array.from({ length: 50 }, (_, index) => anEvent({ userId: `user ${index}` }));
    // Half of them in the same partition, half in any other.
    const others = events.map((event, index) =>
      index % 2 === 0 ? { ...event, amount: 7n } : { ...event, userId: `other ${index}` },
    );
    const [mine, theirs] = await Promise.all([
      appendTo(logs[0], ...events),
      appendTo(logs[1], ...others),
    ]);
    const sent = new Map<Position, Event>();
    for (const [index, outcome] of mine.entries()) {
      sent.set(positionOf(outcome), events[index] as Event);
    }
    for (const [index, outcome] of theirs.entries()) {
      sent.set(positionOf(outcome), others[index] as Event);
    }
    await archive();
    const { events: stored } = await store.find({ filter: {}, order: 'asc', limit: 1_000 });
    const conflicts = await store.conflicts(1_000);
    expect(idsOf(stored.map(({ event }) => event)).toSorted()).toEqual(idsOf(events).toSorted());
    expect(idsOf(conflicts.map(({ event }) => event)).toSorted()).toEqual(idsOf(events).toSorted());
    // Nothing of what was sent is lost.
    const kept = new Map([...stored, ...conflicts].map(({ position, event }) => [position, event]));
    expect(new Set(kept.keys())).toEqual(new Set(sent.keys()));
    for (const [position, event] of kept) {
      expect(hasSameContent(event, sent.get(position) as Event)).toBe(true);
    }
    const total = stored.reduce((sum, { event }) => sum + event.amount, 0n);
    expect(await counted()).toEqual({ count: events.length, total });
    expect(await store.verify()).toEqual([]);
    expect(readers.counts).toMatchObject({ recorded: 50, duplicates: 0, conflicts: 50 });
  });

  it("know each other's events once they are archived", async () => {
    const known = logs.map((log) => withKnownIds(log, { store, logger: silentLogger }));
    const [mine, theirs] = known as [EventLog, EventLog];
    const event = anEvent();
    const [first] = await appendTo(mine, event);
    await archive();
    const outcomes = await appendTo(theirs, event, { ...event, amount: 1n });
    expect(outcomes).toEqual([
      { status: 'duplicate', position: positionOf(first) },
      { status: 'conflict' },
    ]);
    expect(await readAll(theirs)).toHaveLength(1);
  });
});
