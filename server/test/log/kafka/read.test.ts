import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import type { NewEvent } from '../../../src/event/event.ts';
import { Cursor } from '../../../src/log/cursor.ts';
import type { LogEntry, Position, UnreadableEntry } from '../../../src/log/event-log.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { openLog } from '../../support/kafka-harness.ts';
import { type PlainRecord, produce, recordOf } from '../../support/kafka-topic.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { useKafkaLog } from '../../support/use-kafka-log.ts';
import { positionOf, readAll } from '../event-log.suite.ts';

const second = 1_000;

/** Of many users, one every ten seconds. */
function eventsOfMany(count: number, users = 40): readonly NewEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const receivedAt = Date.UTC(2026, 5, 30, 10) + index * 10 * second;
    return anEvent({ userId: `user ${(index * 7) % users}`, receivedAt, timestamp: receivedAt });
  });
}

function byShard(entries: readonly LogEntry[]): Readonly<Record<string, readonly string[]>> {
  const shards = Map.groupBy(entries, ({ shard }) => shard);
  return Object.fromEntries(
    [...shards].map(([shard, own]) => [shard, own.map(({ event }) => event.id)]),
  );
}

describeWithEngines('reading a log in Kafka', ['kafka'], () => {
  const topic = useKafkaLog();

  const append = async (events: readonly NewEvent[], atomic = false) =>
    (await topic.log.append([{ events, atomic }])).flat().map(positionOf);
  const idsOf = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id);

  it('gives all of many partitions from the start, each user in order', async () => {
    const events = eventsOfMany(600);
    await append(events);
    const entries = await readAll(topic.log);
    expect(Object.keys(byShard(entries))).toHaveLength(limits.kafkaPartitions);
    expect(idsOf(entries.map(({ event }) => event)).toSorted()).toEqual(idsOf(events).toSorted());
    for (const [userId, own] of Map.groupBy(entries, ({ event }) => event.userId)) {
      const expected = events.filter((event) => event.userId === userId);
      expect(own.map(({ event }) => event.id)).toEqual(idsOf(expected));
      expect(new Set(own.map(({ shard }) => shard)).size).toBe(1);
    }
  });

  it('holds only a part of a backlog at a time, and takes the partitions in turns', async () => {
    const batches = 18;
    const ids: string[] = [];
    for (let batch = 0; batch < batches; batch += 1) {
      const events = eventsOfMany(limits.commitEvents, 400);
      await append(events);
      ids.push(...idsOf(events));
    }
    const entries = await readAll(topic.log);
    expect(idsOf(entries.map(({ event }) => event)).toSorted()).toEqual(ids.toSorted());
    const shards = byShard(entries);
    const firsts = Object.keys(shards).map((shard) =>
      entries.findIndex((entry) => entry.shard === shard),
    );
    const lasts = Object.keys(shards).map((shard) =>
      entries.findLastIndex((entry) => entry.shard === shard),
    );
    // One that gave all it has before another gave anything was held as a whole, or kept the others waiting.
    expect(Math.max(...firsts)).toBeLessThan(Math.min(...lasts));
  });

  it('knows the newest entry of every partition and gives all, where one answer has no room for two batches', async () => {
    // Not to be compressed to less: 300 KiB and more of each partition.
    const large = (event: NewEvent) => ({
      ...event,
      metadata: JSON.stringify({ text: randomBytes(11_000).toString('base64') }),
    });
    const events = eventsOfMany(240).map(large);
    const positions = await append(events);
    const newest = new Map(positions.flatMap((position) => [...topic.log.placesIn(position)]));
    const end = await topic.log.end();
    expect(topic.log.placesIn(end as Position)).toEqual(newest);
    const entries = await readAll(topic.log);
    expect(entries.map(({ event }) => event.id).toSorted()).toEqual(idsOf(events).toSorted());
  });

  it('gives one shard alone, from its start and from each of its positions', async () => {
    await append(eventsOfMany(300));
    const entries = await readAll(topic.log);
    for (const shard of await topic.log.shards()) {
      const own = entries.filter((entry) => entry.shard === shard);
      const read = async (from: Position | 'start') => {
        const { signal } = new AbortController();
        const seen: LogEntry[] = [];
        const options = { from, shard, follow: false, limit: 7, signal };
        for await (const batch of topic.log.read(options)) seen.push(...batch);
        return seen;
      };
      expect(await read('start')).toEqual(own);
      const middle = Math.floor(own.length / 2);
      expect(await read(own[middle]?.position as Position)).toEqual(own.slice(middle + 1));
      expect(await read(own.at(-1)?.position as Position)).toEqual([]);
    }
  });

  it('goes on from any place of a reader without loss or repeat', async () => {
    await append(eventsOfMany(200));
    const entries = await readAll(topic.log);
    const cursor = new Cursor(topic.log);
    const taken = entries.map((entry) => cursor.take(entry).position);
    const cut = fc.integer({ min: 0, max: entries.length - 1 });
    await fc.assert(
      fc.asyncProperty(cut, cut, async (first, second) => {
        const from = taken[first] as Position;
        expect(topic.log.positionAt(topic.log.placesIn(from))).toBe(from);
        const rest = await readAll(topic.log, from);
        expect(byShard(rest)).toEqual(byShard(entries.slice(first + 1)));
        // A reader that was cut twice.
        const again = new Cursor(topic.log, topic.log.placesIn(from));
        const half = rest.slice(0, second % (rest.length + 1));
        for (const entry of half) again.take(entry);
        const last = await readAll(topic.log, again.position ?? 'start');
        expect(byShard([...half, ...last])).toEqual(byShard(rest));
      }),
      { numRuns: 40 },
    );
  });

  it('goes on after an entry in its own partition, and a minute before it in the others', async () => {
    await append(eventsOfMany(200));
    const entries = await readAll(topic.log);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: entries.length - 1 }), async (index) => {
        const { position, shard, event } = entries[index] as LogEntry;
        const expected = entries.filter((entry) =>
          entry.shard === shard
            ? entry.position > position
            : entry.event.receivedAt >= event.receivedAt - limits.kafkaClockSkewMs,
        );
        expect(byShard(await readAll(topic.log, position))).toEqual(byShard(expected));
        const resumed = topic.log.positionAt(await topic.log.resumeAt(position));
        expect(byShard(await readAll(topic.log, resumed))).toEqual(byShard(expected));
      }),
      { numRuns: 40 },
    );
  });

  it('begins where a partition that its position does not name begins', async () => {
    const [first = anEvent(), ...others] = eventsOfMany(60);
    const [position] = await append([first]);
    const places = topic.log.placesIn(position as Position);
    const reader = topic.log.positionAt(places);
    await append(others);
    expect(reader).not.toBe(position);
    expect((await readAll(topic.log, reader)).map(({ event }) => event.id).toSorted()).toEqual(
      idsOf(others).toSorted(),
    );
  });

  it('gives what comes in every partition, once', async () => {
    const events = eventsOfMany(120);
    await append(events.slice(0, 40));
    const abort = new AbortController();
    const seen: LogEntry[] = [];
    const options = { from: 'start', follow: true, limit: 10, signal: abort.signal } as const;
    for await (const batch of topic.log.read(options)) {
      seen.push(...batch);
      if (seen.length === 40) await append(events.slice(40, 80));
      if (seen.length === 80) await append(events.slice(80));
      if (seen.length >= events.length) abort.abort();
    }
    expect(byShard(seen)).toEqual(byShard(await readAll(topic.log)));
    expect(seen).toHaveLength(events.length);
  });

  it('passes over what is no event, and tells where it is and why', async () => {
    const [first, second] = [anEvent(), anEvent()];
    const [position = ''] = await append([first]);
    const shard = String(Number(position.slice(0, 4)));
    const event = anEvent();
    const broken: readonly (readonly [PlainRecord, RegExp])[] = [
      [{ value: '{"id":' }, /not JSON/],
      [{ value: '' }, /not JSON/],
      [{ value: '[1,2]' }, /no JSON object/],
      [{ value: '{"id":"a","user_id":"u1"}' }, /lacks event_type, amount, timestamp/],
      [recordOf(event, { amount: 5 }), /lacks amount as text/],
      [recordOf(event, { amount: '1e5' }), /amount/],
      [recordOf(event, { amount: '-5' }), /amount/],
      [recordOf(event, { timestamp: 'yesterday' }), /timestamp/],
      [recordOf(event, { received_at: '2026-02-30T00:00:00.000Z' }), /received_at/],
      [recordOf(event, { id: '-' }), /./],
      [recordOf(event, { currency: 'eur' }), /./],
      [recordOf(event, { metadata: 'text' }), /metadata/],
    ];
    await produce(
      topic.url,
      broken.map(([record]) => ({ ...record, partition: Number(shard) })),
    );
    await append([second]);
    const told: UnreadableEntry[] = [];
    const { signal } = new AbortController();
    const unreadable = (entry: UnreadableEntry) => told.push(entry);
    const options = { from: 'start', follow: false, limit: 5, signal, unreadable } as const;
    const seen: LogEntry[] = [];
    for await (const batch of topic.log.read(options)) seen.push(...batch);
    expect(seen.map(({ event: { id } }) => id)).toEqual(idsOf([first, second]));
    expect(told).toMatchObject(
      broken.map(([{ value }, reason], index) => ({
        shard,
        raw: value,
        reason: expect.stringMatching(new RegExp(`^${shard}/${index + 1}: .*${reason.source}`)),
      })),
    );
    // Without somebody to tell, and after each of them.
    expect((await readAll(topic.log)).map(({ event: { id } }) => id)).toEqual(
      idsOf([first, second]),
    );
    for (const { position: after } of told) {
      const rest = await readAll(topic.log, topic.log.positionAt(topic.log.placesIn(after)));
      expect(rest.map(({ event: { id } }) => id)).toEqual([second.id]);
    }
  });

  it('tells of an unreadable record with the batch that comes up to it, and not of what was not given yet', async () => {
    const events = someEvents(25);
    await append(events);
    const [shard = ''] = topic.log.placesIn((await topic.log.end()) as Position).keys();
    await produce(topic.url, [{ key: 'u1', value: 'broken', partition: Number(shard) }]);
    await append(someEvents(5));
    const { signal } = new AbortController();
    let given = 0;
    const toldAfter: number[] = [];
    const unreadable = () => toldAfter.push(given);
    const options = { from: 'start', follow: false, limit: 10, signal, unreadable } as const;
    for await (const batch of topic.log.read(options)) given += batch.length;
    // All of the 25 before it but those of the batch that it came with.
    expect(toldAfter).toHaveLength(1);
    expect(toldAfter[0]).toBeGreaterThanOrEqual(20);
    expect(given).toBe(30);
  });

  it.each(['none', 'zstd'])(
    'gives a batch of several megabytes in its order (compression %s)',
    async (compression) => {
      const wide = await openLog(`${topic.url}?compression=${compression}`);
      onTestFinished(() => wide.close());
      const noise = () =>
        Array.from({ length: 1_200 }, () => Math.random().toString(36).slice(2)).join('');
      const events = someEvents(200).map((event) => ({
        ...event,
        metadata: `{"a":"${noise().slice(0, 15_000)}"}`,
      }));
      const [outcomes = []] = await wide.append([{ events, atomic: true }]);
      const entries = await readAll(wide);
      expect(entries.map(({ event }) => event.id)).toEqual(idsOf(events));
      expect(entries.map(({ position }) => position)).toEqual(outcomes.map(positionOf));
      expect(entries.map(({ event }) => event.metadata)).toEqual(
        events.map(({ metadata }) => metadata),
      );
    },
  );
});
