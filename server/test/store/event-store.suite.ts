import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Instant } from '../../src/base/clock.ts';
import type { Event, NewEvent } from '../../src/event/event.ts';
import { matches } from '../../src/event/filter.ts';
import type { LogEntry, Position } from '../../src/log/event-log.ts';
import type { Bucket, EventStore, Lease, ListQuery } from '../../src/store/event-store.ts';
import { anEvent, someEvents } from '../support/build-event.ts';
import { retentionSuite } from './retention.suite.ts';
import { upkeepTests } from './upkeep-tests.ts';

/** What a store adapter gives to the suite. */
export interface StoreHarness {
  /** Opens this test's store; a second call after a close sees what the first one wrote. */
  open(): Promise<EventStore>;
  /** Log entries with ascending positions of the form that this store is used with, from `first` on. */
  entries(events: readonly Event[], first: number): Promise<readonly LogEntry[]>;
  /** Damages one minute count behind the store's back: one of this minute, or any. */
  damageCounts(minute?: Instant): Promise<void>;
  destroy(): Promise<void>;
}

const shard = '0';
const minuteMs = 60_000;
const noon = Date.UTC(2026, 5, 30, 12, 0, 0);

/** The promises of the port `EventStore`, for every adapter. */
export function eventStoreSuite(name: string, createHarness: () => Promise<StoreHarness>): void {
  describe(`event store ${name}`, () => {
    let harness: StoreHarness;
    let store: EventStore;
    let next: number;

    beforeEach(async () => {
      harness = await createHarness();
      store = await harness.open();
      next = 1;
    });

    afterEach(async () => {
      await store.close();
      await harness.destroy();
    });

    const entriesOf = async (events: readonly Event[]) => {
      const entries = await harness.entries(events, next);
      next += events.length;
      return entries;
    };
    const record = async (events: readonly Event[]) => {
      const entries = await entriesOf(events);
      return { entries, recorded: await store.record(shard, entries) };
    };
    const total = async (from: number, to: number, filter = {}) =>
      summarize((await store.aggregate({ from, to, filter })).buckets);

    describe('record', () => {
      it('adds events, counts them and moves the position', async () => {
        const { entries, recorded } = await record(someEvents(5, { timestamp: noon, amount: 10n }));
        expect(recorded).toEqual({ added: 5, duplicates: 0, conflicts: 0 });
        expect(await store.positions()).toEqual(new Map([[shard, entries[4]?.position]]));
        expect(await total(noon, noon + minuteMs)).toEqual([['purchase', 'EUR', 5, 50n]]);
      });

      it('twice changes nothing', async () => {
        const { entries } = await record(someEvents(5, { timestamp: noon, amount: 10n }));
        expect(await store.record(shard, entries)).toEqual({
          added: 0,
          duplicates: 0,
          conflicts: 0,
        });
        expect(await store.record(shard, entries.slice(1, 3))).toMatchObject({ added: 0 });
        expect(await total(noon, noon + minuteMs)).toEqual([['purchase', 'EUR', 5, 50n]]);
        expect(await store.positions()).toEqual(new Map([[shard, entries[4]?.position]]));
      });

      it('passes over what overlaps and takes the rest', async () => {
        const entries = await entriesOf(someEvents(6, { timestamp: noon, amount: 1n }));
        await store.record(shard, entries.slice(0, 4));
        expect(await store.record(shard, entries.slice(2))).toMatchObject({ added: 2 });
        expect(await total(noon, noon + minuteMs)).toEqual([['purchase', 'EUR', 6, 6n]]);
      });

      it('counts an id that comes again with the same content once', async () => {
        const event = anEvent({ timestamp: noon, amount: 7n });
        await record([event]);
        const { recorded } = await record([{ ...event, receivedAt: event.receivedAt + 1 }, event]);
        expect(recorded).toEqual({ added: 0, duplicates: 2, conflicts: 0 });
        expect(await total(noon, noon + minuteMs)).toEqual([['purchase', 'EUR', 1, 7n]]);
      });

      it('keeps an id that comes again with other content as a conflict, never counted', async () => {
        const event = anEvent({ timestamp: noon, amount: 7n });
        await record([event]);
        const { entries, recorded } = await record([{ ...event, amount: 8n }]);
        expect(recorded).toEqual({ added: 0, duplicates: 0, conflicts: 1 });
        expect(await total(noon, noon + minuteMs)).toEqual([['purchase', 'EUR', 1, 7n]]);
        expect((await store.get(event.id))?.event.amount).toBe(7n);
        const [conflict] = await store.conflicts(10);
        expect(conflict).toMatchObject({ shard, position: entries[0]?.position });
        expect(conflict?.event).toMatchObject({ id: event.id, amount: 8n });
      });

      it('is durable across reopen', async () => {
        const { entries } = await record(someEvents(3, { timestamp: noon, amount: 2n }));
        await store.close();
        store = await harness.open();
        expect(await store.positions()).toEqual(new Map([[shard, entries[2]?.position]]));
        expect(await total(noon, noon + minuteMs)).toEqual([['purchase', 'EUR', 3, 6n]]);
      });

      it('never overflows: ten events of the largest amount in one minute add up', async () => {
        const largest = 999_999_999_999_999_999n;
        await record(someEvents(10, { timestamp: noon, amount: largest }));
        expect(await total(noon, noon + minuteMs)).toEqual([
          ['purchase', 'EUR', 10, largest * 10n],
        ]);
        expect(await total(noon - 1, noon + 1)).toEqual([['purchase', 'EUR', 10, largest * 10n]]);
      });
    });

    describe('reached', () => {
      it('resolves for a position that is in the store', async () => {
        const { entries } = await record(someEvents(2));
        for (const { shard, position } of entries) {
          await store.reached(new Map([[shard, position]]), new AbortController().signal);
        }
      });

      it('rejects with the reason of the signal while the position is not there', async () => {
        await record(someEvents(1));
        const missing = await entriesOf(someEvents(1));
        const abort = new AbortController();
        const places = new Map(missing.map(({ shard, position }) => [shard, position]));
        const waiting = store.reached(places, abort.signal);
        abort.abort(new Error('enough waited'));
        await expect(waiting).rejects.toThrow('enough waited');
      });
    });

    describe('find', () => {
      const listed = async (query: Partial<ListQuery>) =>
        await store.find({ filter: {}, order: 'desc', limit: 100, ...query });
      const idsOf = async (query: Partial<ListQuery>) =>
        (await listed(query)).events.map(({ event }) => event.id);

      it('gets one event by its id, with every field and its position', async () => {
        const events = [
          anEvent({ metadata: '{"a":1}', amount: 999_999_999_999_999_999n }),
          anEvent(),
        ];
        const { entries } = await record(events);
        for (const entry of entries) {
          expect(await store.get(entry.event.id)).toMatchObject({
            event: bare(entry.event),
            position: entry.position,
          });
        }
        expect(await store.get('absent')).toBeUndefined();
      });

      it('gets those of many ids that are there', async () => {
        const { entries } = await record(someEvents(3));
        const [first, second] = entries as [LogEntry, LogEntry];
        const found = await store.getMany([second.event.id, 'absent', first.event.id]);
        expect([...found.keys()].toSorted()).toEqual([first.event.id, second.event.id].toSorted());
        expect(found.get(first.event.id)).toMatchObject({
          event: bare(first.event),
          position: first.position,
        });
        expect(await store.getMany([])).toEqual(new Map());
      });

      it('gives entries after a position in log order, and knows when it does not hold that one', async () => {
        const { entries } = await record(someEvents(7));
        const bareEntries = entries.map((entry) => ({ ...entry, event: bare(entry.event) }));
        expect(await store.entriesAfter(shard, 'start', 100)).toEqual(bareEntries);
        const third = entries[2]?.position as Position;
        expect(await store.entriesAfter(shard, third, 2)).toEqual(bareEntries.slice(3, 5));
        const last = entries[6]?.position as Position;
        expect(await store.entriesAfter(shard, last, 2)).toEqual([]);
        const [unknown] = await entriesOf(someEvents(1));
        await expect(
          store.entriesAfter(shard, unknown?.position as Position, 2),
        ).rejects.toMatchObject({ code: 'position_gone' });
      });

      it('lists in log order, newest first or oldest first', async () => {
        const events = someEvents(5, { timestamp: noon }).map((event, index) => ({
          ...event,
          timestamp: noon - index * minuteMs,
        }));
        await record(events);
        const ids = events.map(({ id }) => id);
        expect(await idsOf({ order: 'asc' })).toEqual(ids);
        expect(await idsOf({ order: 'desc' })).toEqual(ids.toReversed());
      });

      it('pages without loss or repeat while events arrive', async () => {
        const events = someEvents(23);
        await record(events);
        const seen: string[] = [];
        let after: string | undefined;
        for (;;) {
          const page = await listed({ limit: 5, ...(after === undefined ? {} : { after }) });
          seen.push(...page.events.map(({ event }) => event.id));
          after = page.events.at(-1)?.listKey;
          await record(someEvents(3));
          if (!page.hasMore) break;
        }
        expect(seen).toEqual(events.map(({ id }) => id).toReversed());
      });

      it('finds for any filter, window, order and page what the matcher finds', async () => {
        const events = mixedEvents(400);
        await record(events);
        for (const query of mixedQueries()) {
          const expected = events.filter(
            (event) =>
              matches(query.filter, event) &&
              (query.from === undefined || event.timestamp >= query.from) &&
              (query.to === undefined || event.timestamp < query.to),
          );
          const ordered = query.order === 'asc' ? expected : expected.toReversed();
          const page = await store.find(query);
          expect(page.events.map(({ event }) => event.id)).toEqual(
            ordered.slice(0, query.limit).map(({ id }) => id),
          );
          expect(page.hasMore).toBe(ordered.length > query.limit);
          const last = page.events.at(-1);
          if (last === undefined) continue;
          const rest = await store.find({ ...query, after: last.listKey });
          expect(rest.events.map(({ event }) => event.id)).toEqual(
            ordered.slice(query.limit, query.limit * 2).map(({ id }) => id),
          );
        }
      });
    });

    describe('aggregate', () => {
      it('is exact to the millisecond at both edges', async () => {
        const times = [-1, 0, 1, minuteMs - 1, minuteMs, 2 * minuteMs + 499, 2 * minuteMs + 500];
        await record(times.map((time) => anEvent({ timestamp: noon + time, amount: 1n })));
        const count = async (from: number, to: number) =>
          (await total(noon + from, noon + to))[0]?.[2] ?? 0;
        expect(await count(0, 2 * minuteMs + 500)).toBe(5);
        expect(await count(1, 2 * minuteMs + 499)).toBe(3);
        expect(await count(-1, 1)).toBe(2);
        expect(await count(0, minuteMs)).toBe(3);
        expect(await count(30_000, 30_001)).toBe(0);
        expect(await count(-minuteMs, 3 * minuteMs)).toBe(7);
      });

      it('counts a late event in its own minute', async () => {
        await record(someEvents(3, { timestamp: noon + 60 * minuteMs, amount: 1n }));
        await record([anEvent({ timestamp: noon + 5, amount: 9n, eventType: 'refund' })]);
        expect(await total(noon, noon + minuteMs)).toEqual([['refund', 'EUR', 1, 9n]]);
      });

      it('keeps types and currencies apart and equals a recomputation for any window and filter', async () => {
        const events = mixedEvents(400);
        await record(events);
        for (const {
          filter,
          from = noon - 10 * minuteMs,
          to = noon + 60 * minuteMs,
        } of mixedQueries()) {
          const inside = events.filter(
            (event) => matches(filter, event) && event.timestamp >= from && event.timestamp < to,
          );
          expect(await total(from, to, filter)).toEqual(recompute(inside));
        }
      });

      it('cuts a window into steps on UTC multiples', async () => {
        const events = mixedEvents(300);
        await record(events);
        const [from, to] = [noon + 12_345, noon + 20 * minuteMs + 1];
        for (const stepMs of [minuteMs, 5 * minuteMs, 15 * minuteMs, 60 * minuteMs]) {
          const { buckets } = await store.aggregate({ from, to, filter: {}, stepMs });
          const inside = events.filter(({ timestamp }) => timestamp >= from && timestamp < to);
          for (const [start, part] of Map.groupBy(buckets, (bucket) => bucket.start)) {
            const expected = inside.filter(
              ({ timestamp }) => Math.floor(timestamp / stepMs) * stepMs === start,
            );
            expect(summarize(part)).toEqual(recompute(expected));
          }
          expect(buckets.reduce((sum, bucket) => sum + bucket.eventCount, 0)).toBe(inside.length);
        }
      });

      it('names the newest event counted in the whole hub, whatever the window', async () => {
        expect((await store.aggregate({ from: 0, to: 1, filter: {} })).asOf).toBeUndefined();
        const { entries } = await record(someEvents(3));
        const { asOf, buckets } = await store.aggregate({ from: 0, to: 1, filter: {} });
        expect(buckets).toEqual([]);
        expect(asOf).toEqual({
          position: entries[2]?.position,
          receivedAt: entries[2]?.event.receivedAt,
        });
      });
    });

    describe('verify and rebuild', () => {
      it('finds nothing to mend in counts that were recorded', async () => {
        await record(mixedEvents(300));
        expect(await store.verify()).toEqual([]);
        expect(await store.rebuild()).toBe(0);
      });

      it('names a count that differs, and a rebuild makes it equal again', async () => {
        const events = mixedEvents(100);
        await record(events);
        await harness.damageCounts();
        const differences = await store.verify();
        expect(differences).toHaveLength(1);
        expect(differences[0]?.counted).not.toEqual(differences[0]?.recomputed);
        expect(await store.rebuild()).toBe(1);
        expect(await store.verify()).toEqual([]);
        expect(await total(0, noon + 600 * minuteMs)).toEqual(recompute(events));
      });
    });

    describe('counted minutes', () => {
      it('say what was counted while the hub’s own minute ran, until they are forgotten', async () => {
        const old = noon - 60 * minuteMs;
        await record([
          ...someEvents(3, { timestamp: old, amount: 2n }),
          anEvent({ timestamp: old, amount: 5n, eventType: 'refund' }),
        ]);
        const end = Number.MAX_SAFE_INTEGER;
        const counted = await store.countedMinutes(end);
        const sums = new Map<string, readonly [number, number, bigint]>();
        for (const { eventType, eventCount, lateCount, total: sum } of counted) {
          const known = sums.get(eventType) ?? [0, 0, 0n];
          sums.set(eventType, [known[0] + eventCount, known[1] + lateCount, known[2] + sum]);
        }
        expect(sums).toEqual(
          new Map([
            ['purchase', [3, 3, 6n]],
            ['refund', [1, 1, 5n]],
          ]),
        );
        await store.forgetCountedMinutes(end);
        expect(await store.countedMinutes(end)).toEqual([]);
        expect(await store.verify()).toEqual([]);
      });
    });

    it('says what it takes on its disk', async () => {
      await record(someEvents(10));
      expect(await store.sizeBytes()).toBeGreaterThan(1_000);
    });

    it('keeps what the processes on it agreed on', async () => {
      expect(await store.agreement()).toBeUndefined();
      const agreement = { eventTypes: 'purchase:+,return:-', defaultCurrency: 'EUR' };
      await store.setAgreement(agreement);
      await store.close();
      store = await harness.open();
      expect(await store.agreement()).toEqual(agreement);
    });

    upkeepTests(() => store, record);

    it('keeps entries that could not be read, once, and moves past them', async () => {
      expect(await store.unreadableEntries(10)).toEqual([]);
      const entries = await entriesOf(someEvents(3));
      const [first, second, third] = entries as [LogEntry, LogEntry, LogEntry];
      const unreadable = [
        { shard, position: first.position, reason: 'no amount', raw: '{"id":"x"}' },
        { shard, position: third.position, reason: 'no JSON', raw: '{' },
      ];
      for (let time = 0; time < 2; time += 1) {
        await store.record(shard, [second], { unreadable });
        expect(await store.unreadableEntries(10)).toEqual(unreadable);
        expect(await store.positions()).toEqual(new Map([[shard, third.position]]));
      }
      expect(await store.verify()).toEqual([]);
    });

    describe('leases', () => {
      const ttlMs = 60_000;

      it('are held by one at a time, renewed by it alone, and given back', async () => {
        const first = await store.acquireLease('archive', 'one', ttlMs);
        expect(first).toMatchObject({ name: 'archive', holder: 'one' });
        expect(await store.acquireLease('archive', 'two', ttlMs)).toBeUndefined();
        expect(await store.acquireLease('archive', 'one', ttlMs)).toEqual(first);
        expect(await store.acquireLease('other', 'two', ttlMs)).toMatchObject({ holder: 'two' });
        await store.releaseLease(first as Lease);
        const second = await store.acquireLease('archive', 'two', ttlMs);
        expect(second?.epoch).toBeGreaterThan(first?.epoch ?? 0);
        await store.releaseLease(first as Lease);
        expect(await store.acquireLease('archive', 'one', ttlMs)).toBeUndefined();
      });

      it('run out', async () => {
        expect(await store.acquireLease('archive', 'one', 1)).toBeDefined();
        await expect.poll(() => store.acquireLease('archive', 'two', ttlMs)).toBeDefined();
      });

      it('fence: who lost one records nothing', async () => {
        const lost = (await store.acquireLease('archive', 'one', 1)) as Lease;
        await expect.poll(() => store.acquireLease('archive', 'two', ttlMs)).toBeDefined();
        const entries = await entriesOf(someEvents(2));
        await expect(store.record(shard, entries, { lease: lost })).rejects.toMatchObject({
          code: 'conflict',
        });
        expect(await store.positions()).toEqual(new Map());
        expect(await store.get(entries[0]?.event.id ?? '')).toBeUndefined();
        const lease = (await store.acquireLease('archive', 'two', ttlMs)) as Lease;
        expect(await store.record(shard, entries, { lease })).toMatchObject({ added: 2 });
      });
    });

    it('may be closed twice', async () => {
      await store.check();
      await store.close();
      await store.close();
    });
  });

  retentionSuite(name, createHarness);
}

type Summary = readonly (readonly [string, string, number, bigint])[];

function summarize(buckets: readonly Bucket[]): Summary {
  return buckets
    .map(
      ({ eventType, currency, eventCount, total }) =>
        [eventType, currency, eventCount, total] as const,
    )
    .toSorted((a, b) => `${a[0]} ${a[1]}`.localeCompare(`${b[0]} ${b[1]}`));
}

/** The naive truth: a walk over the events. */
function recompute(events: readonly Event[]): Summary {
  const groups = Map.groupBy(events, (event) => `${event.eventType} ${event.currency}`);
  return summarize(
    [...groups.values()].map((group) => ({
      start: 0,
      eventType: group[0]?.eventType ?? '',
      currency: group[0]?.currency ?? '',
      eventCount: group.length,
      total: group.reduce((sum, { amount }) => sum + amount, 0n),
    })),
  );
}

/** Events of several users, types and currencies, some late, over half an hour; the same ones each time. */
function mixedEvents(count: number): readonly NewEvent[] {
  const types = ['purchase', 'purchase', 'return', 'refund'];
  const currencies = ['EUR', 'EUR', 'USD', 'JPY'];
  return Array.from({ length: count }, (_, index) => {
    const spread = (index * 7_919) % 1_800_000;
    return anEvent({
      userId: `u${(index * 13) % 7}`,
      eventType: types[(index * 5) % types.length] ?? 'purchase',
      currency: currencies[(index * 11 + (index >> 3)) % currencies.length] ?? 'EUR',
      amount: BigInt((index * 1_234_567) % 10_000_000),
      timestamp: noon + (index % 10 === 0 ? -spread / 9 : spread),
    });
  }).map((event) => ({ ...event, timestamp: Math.floor(event.timestamp) }));
}

function mixedQueries(): readonly ListQuery[] {
  const filters = [
    {},
    { userIds: ['u1'] },
    { userIds: ['u1', 'u3', 'nobody'] },
    { eventTypes: ['refund'] },
    { eventTypes: ['refund', 'return'] },
    { currency: 'JPY' },
    { userIds: ['u2', 'u5'], eventTypes: ['purchase'], currency: 'EUR' },
    { eventTypes: ['return', 'purchase'], currency: 'USD' },
  ];
  const windows = [
    {},
    { from: noon + 61_234 },
    { to: noon + 300_001 },
    { from: noon - 90_500, to: noon + 777_777 },
    { from: noon + 1, to: noon + 2 },
  ];
  return filters.flatMap((filter, index) =>
    windows.map((window, at) => ({
      filter,
      ...window,
      order: (index + at) % 2 === 0 ? ('desc' as const) : ('asc' as const),
      limit: 7 + index,
    })),
  );
}

function bare(event: Event): Partial<Event> {
  const { id, userId, eventType, amount, currency, timestamp, receivedAt, metadata } = event;
  return { id, userId, eventType, amount, currency, timestamp, receivedAt, metadata };
}
