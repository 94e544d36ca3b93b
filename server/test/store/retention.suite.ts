import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatInstant } from '../../src/base/clock.ts';
import type { Event } from '../../src/event/event.ts';
import { matches } from '../../src/event/filter.ts';
import { removedEventOf } from '../../src/event/removed-event.ts';
import type { LogEntry, Position } from '../../src/log/event-log.ts';
import type {
  AggregateQuery,
  EventStore,
  Lease,
  Removal,
  RemovalCut,
} from '../../src/store/event-store.ts';
import { anEvent, someEvents } from '../support/build-event.ts';
import type { StoreHarness } from './event-store.suite.ts';
import { retentionModelTest, timedEntries } from './retention-model.suite.ts';

const shard = '0';
const minuteMs = 60_000;
const noon = Date.UTC(2026, 5, 30, 12, 0, 0);
/** After the time of receipt of every event here. */
const later = noon + 365 * 24 * 60 * minuteMs;

/** What retention promises, part of the suite of the port `EventStore`. */
export function retentionSuite(name: string, createHarness: () => Promise<StoreHarness>): void {
  describe(`retention ${name}`, () => {
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
      const entries = await timedEntries(harness, events, next);
      next += events.length;
      return entries;
    };
    const record = async (events: readonly Event[]) => {
      const entries = await entriesOf(events);
      return { entries, recorded: await store.record(shard, entries) };
    };
    const removeAll = async (cut: RemovalCut, limit = 1_000): Promise<readonly Removal[]> => {
      const removals: Removal[] = [];
      for (;;) {
        const removal = await store.removeOldest(shard, cut, limit);
        if (removal === undefined) return removals;
        removals.push(removal);
      }
    };
    /** All that are there, oldest first. */
    const left = async () =>
      (await store.entriesAfter(shard, 'start', 1_000)).map(({ event }) => event.id);
    const total = async (from: number, to: number) =>
      (await store.aggregate({ from, to, filter: {} })).buckets.map(
        ({ eventType, eventCount, total }) => [eventType, eventCount, total],
      );

    describe('removeOldest', () => {
      it('removes the events that the hub took before the cut, and says which', async () => {
        const { entries } = await record(everySecond(6));
        const removal = {
          shard,
          events: 4,
          oldest: noon,
          newest: noon + 3_000,
          floor: entries[3]?.position,
          minutes: 1,
        };
        const cut = { receivedBefore: noon + 4_000 };
        expect(await store.removeOldest(shard, cut, 100)).toEqual(removal);
        expect(await left()).toEqual(idsOf(entries.slice(4)));
        expect(await store.removeOldest(shard, cut, 100)).toBeUndefined();
        expect(await store.removeOldest('no-shard', cut, 100)).toBeUndefined();
        expect(await store.retained()).toEqual({
          floors: new Map([[shard, entries[3]?.position]]),
          removedEvents: 4,
          frozenMinutes: 1,
        });
      });

      it('ends at the first event that must stay, though later ones are older', async () => {
        const ages = [0, 2, 9, 1, 3, 10];
        const { entries } = await record(
          ages.map((second) => anEvent({ receivedAt: noon + second * 1_000 })),
        );
        const [removal, ...more] = await removeAll({ receivedBefore: noon + 5_000 });
        expect(removal).toMatchObject({ events: 2, floor: entries[1]?.position });
        expect(more).toEqual([]);
        expect(await left()).toEqual(idsOf(entries.slice(2)));
      });

      it('removes nothing of a store in which nothing is old enough, or nothing at all', async () => {
        const nothing = { floors: new Map(), removedEvents: 0, frozenMinutes: 0 };
        expect(await store.removeOldest(shard, { receivedBefore: later }, 10)).toBeUndefined();
        const { entries } = await record(everySecond(3));
        expect(await store.removeOldest(shard, { receivedBefore: noon }, 10)).toBeUndefined();
        expect(await left()).toEqual(idsOf(entries));
        expect(await store.retained()).toEqual(nothing);
      });

      it('never removes the newest event of the shard', async () => {
        const { entries: first } = await record(everySecond(1));
        expect(await store.removeOldest(shard, { receivedBefore: later }, 10)).toBeUndefined();
        const { entries: more } = await record(everySecond(3));
        expect(await removeAll({ receivedBefore: later }, 10)).toMatchObject([{ events: 3 }]);
        expect(await left()).toEqual(idsOf([...first, ...more].slice(-1)));
        const { asOf } = await store.aggregate({ from: 0, to: 1, filter: {} });
        expect(asOf).toMatchObject({ position: more[2]?.position });
      });

      it('removes nothing behind the place up to which it may', async () => {
        const { entries } = await record(everySecond(6));
        const upTo = (index: number) => ({
          receivedBefore: later,
          upTo: entries[index]?.position as Position,
        });
        expect(await store.removeOldest(shard, upTo(1), 10)).toMatchObject({ events: 2 });
        expect(await store.removeOldest(shard, upTo(0), 10)).toBeUndefined();
        expect(await store.removeOldest(shard, upTo(1), 10)).toBeUndefined();
        expect(await store.removeOldest(shard, upTo(3), 10)).toMatchObject({
          events: 2,
          floor: entries[3]?.position,
        });
        expect(await left()).toEqual(idsOf(entries.slice(4)));
      });

      it('goes on where it ended when it may remove only a few at a time', async () => {
        const { entries } = await record(everySecond(8, 30));
        const cut = { receivedBefore: noon + 7 * 30_000 };
        const removals = await removeAll(cut, 3);
        expect(removals.map(({ events }) => events)).toEqual([3, 3, 1]);
        expect(removals.map(({ floor }) => floor)).toEqual(
          [2, 5, 6].map((index) => entries[index]?.position),
        );
        // The second minute is cut through: it is said once.
        expect(removals.map(({ minutes }) => minutes)).toEqual([2, 1, 1]);
        expect(await store.retained()).toMatchObject({ removedEvents: 7, frozenMinutes: 4 });
        expect(await left()).toEqual(idsOf(entries.slice(7)));
      });

      it('keeps what it did across reopen', async () => {
        const { entries } = await record(everySecond(5));
        await removeAll({ receivedBefore: noon + 3_000 });
        const retained = await store.retained();
        await store.close();
        store = await harness.open();
        expect(await store.retained()).toEqual(retained);
        expect(retained.floors).toEqual(new Map([[shard, entries[2]?.position]]));
        expect(await store.positions()).toEqual(new Map([[shard, entries[4]?.position]]));
        const again = await record([bare(entries[0] as LogEntry)]);
        expect(again.recorded).toEqual({ added: 0, duplicates: 1, conflicts: 0 });
      });

      it('is fenced: who lost the lease removes nothing', async () => {
        const { entries } = await record(everySecond(4));
        const cut = { receivedBefore: later };
        const lost = (await store.acquireLease('retention', 'one', 1)) as Lease;
        await expect.poll(() => store.acquireLease('retention', 'two', minuteMs)).toBeDefined();
        await expect(store.removeOldest(shard, cut, 10, lost)).rejects.toMatchObject({
          code: 'conflict',
        });
        expect(await left()).toEqual(idsOf(entries));
        expect(await store.retained()).toMatchObject({ removedEvents: 0, frozenMinutes: 0 });
        const lease = (await store.acquireLease('retention', 'two', minuteMs)) as Lease;
        expect(await store.removeOldest(shard, cut, 10, lease)).toMatchObject({ events: 3 });
      });
    });

    describe('previewRemoval', () => {
      it('says what is removed then altogether, and changes nothing', async () => {
        const { entries } = await record(everySecond(40, 17));
        // Minutes that are frozen already are not said again.
        await store.removeOldest(shard, { receivedBefore: later }, 5);
        for (const cut of [
          { receivedBefore: noon + 12 * 17_000 },
          { receivedBefore: later, upTo: entries[20]?.position as Position },
          { receivedBefore: later },
        ]) {
          const before = [await store.retained(), await left()];
          const preview = await store.previewRemoval(shard, cut);
          expect([await store.retained(), await left()]).toEqual(before);
          expect(preview).toBeDefined();
          expect(preview).toEqual(together(await removeAll(cut, 4)));
          expect(await store.previewRemoval(shard, cut)).toBeUndefined();
        }
        expect(await store.previewRemoval('no-shard', { receivedBefore: later })).toBeUndefined();
      });
    });

    describe('a removed event', () => {
      it('is not got, found or read any more, and is known by the record that stays', async () => {
        const { entries } = await record(everySecond(4));
        await removeAll({ receivedBefore: noon + 2_000 });
        for (const { event } of entries.slice(0, 2)) {
          expect(await store.get(event.id)).toBeUndefined();
        }
        for (const window of [{}, { from: noon, to: noon + minuteMs }]) {
          for (const filter of [{}, { userIds: ['u1'] }, { eventTypes: ['purchase'] }]) {
            const query = { filter, ...window, order: 'asc' as const, limit: 10 };
            const page = await store.find(query);
            expect(page.events.map(({ event }) => event.id)).toEqual(idsOf(entries.slice(2)));
          }
        }
        const known = await store.getMany([...idsOf(entries), 'absent']);
        expect([...known.keys()].toSorted()).toEqual(idsOf(entries).toSorted());
        for (const [index, entry] of entries.entries()) {
          const event = index < 2 ? removedEventOf(entry.event) : bare(entry);
          expect(known.get(entry.event.id)).toMatchObject({ event, position: entry.position });
        }
      });

      it('is a duplicate when it comes again, with its timestamp and without', async () => {
        const { entries } = await record(everySecond(4));
        await removeAll({ receivedBefore: later });
        const [first, second] = entries.map(bare) as [Event, Event];
        const before = await total(noon, noon + minuteMs);
        const { recorded } = await record([
          { ...first, receivedAt: later },
          { ...second, receivedAt: later, timestamp: later },
        ]);
        expect(recorded).toEqual({ added: 0, duplicates: 2, conflicts: 0 });
        expect(await total(noon, noon + minuteMs)).toEqual(before);
        expect(await store.get(first.id)).toBeUndefined();
        expect((await store.getMany([first.id])).get(first.id)).toEqual({
          event: removedEventOf(first),
          position: entries[0]?.position,
        });
        expect(await store.conflicts(10)).toEqual([]);
      });

      it('is a duplicate also when it came without a timestamp at first', async () => {
        const { entries } = await record([
          anEvent({ timestamp: noon, receivedAt: noon }),
          ...everySecond(1),
        ]);
        await removeAll({ receivedBefore: later });
        const event = bare(entries[0] as LogEntry);
        const { recorded } = await record([{ ...event, timestamp: noon + 5, receivedAt: later }]);
        expect(recorded).toEqual({ added: 0, duplicates: 1, conflicts: 0 });
      });

      it('is in conflict with other content under its id, which is kept and never counted', async () => {
        const { entries } = await record(everySecond(3));
        await removeAll({ receivedBefore: later });
        const event = bare(entries[0] as LogEntry);
        const before = await total(0, later);
        const others = [
          { ...event, amount: 8n },
          { ...event, metadata: '{"a":1}' },
          { ...event, timestamp: event.timestamp + 1, receivedAt: later },
        ];
        const { entries: came, recorded } = await record(others);
        expect(recorded).toEqual({ added: 0, duplicates: 0, conflicts: 3 });
        expect(await store.conflicts(10)).toEqual(
          came.map((entry) => ({ shard, position: entry.position, event: bare(entry) })),
        );
        expect(await total(0, later)).toEqual(before);
        expect(await store.get(event.id)).toBeUndefined();
      });

      it('comes once more with others in one batch, and each is told apart', async () => {
        const { entries } = await record(everySecond(3));
        await removeAll({ receivedBefore: later });
        const [first, , last] = entries.map(bare) as [Event, Event, Event];
        const fresh = anEvent({ timestamp: noon + minuteMs, amount: 3n });
        const { recorded } = await record([first, fresh, { ...first, amount: 8n }, last, fresh]);
        expect(recorded).toEqual({ added: 1, duplicates: 3, conflicts: 1 });
        expect(await total(noon + minuteMs, noon + 2 * minuteMs)).toEqual([['purchase', 1, 3n]]);
      });

      it('changes nothing when the log is read anew', async () => {
        const { entries } = await record(everySecond(6));
        await removeAll({ receivedBefore: noon + 4_000 });
        const before = [await store.retained(), await total(0, later), await left()];
        expect(await store.record(shard, entries)).toEqual({
          added: 0,
          duplicates: 0,
          conflicts: 0,
        });
        await store.resetPosition(shard, undefined);
        expect(await store.record(shard, entries)).toEqual({
          added: 0,
          duplicates: 6,
          conflicts: 0,
        });
        expect([await store.retained(), await total(0, later), await left()]).toEqual(before);
        expect(await store.positions()).toEqual(new Map([[shard, entries[5]?.position]]));
      });

      it('is reached: what was counted of it stays counted', async () => {
        const { entries } = await record(everySecond(4));
        await removeAll({ receivedBefore: later });
        const { signal } = new AbortController();
        for (const { position } of entries)
          await store.reached(new Map([[shard, position]]), signal);
      });
    });

    describe('entriesAfter', () => {
      it('goes on behind the floor, and from the start with the oldest that is there', async () => {
        const { entries } = await record(everySecond(6));
        await removeAll({ receivedBefore: noon + 3_000 });
        const rest = entries.slice(3).map((entry) => ({ ...entry, event: bare(entry) }));
        expect(await store.entriesAfter(shard, 'start', 100)).toEqual(rest);
        const floor = entries[2]?.position as Position;
        expect(await store.entriesAfter(shard, floor, 100)).toEqual(rest);
        expect(await store.entriesAfter(shard, floor, 2)).toEqual(rest.slice(0, 2));
        expect(await store.entriesAfter(shard, entries[4]?.position as Position, 100)).toEqual(
          rest.slice(2),
        );
      });

      it('is gone for a place before the floor, naming it', async () => {
        const { entries } = await record(everySecond(6));
        await removeAll({ receivedBefore: noon + 3_000 });
        for (const { position } of entries.slice(0, 2)) {
          await expect(store.entriesAfter(shard, position, 10)).rejects.toMatchObject({
            code: 'position_gone',
            position: entries[2]?.position,
          });
        }
        const [unknown] = await entriesOf(someEvents(1));
        await expect(
          store.entriesAfter(shard, unknown?.position as Position, 10),
        ).rejects.toMatchObject({ code: 'position_gone' });
      });
    });

    describe('totals', () => {
      /** Twenty minutes of which the first half and a bit loses events. */
      const recordAndRemove = async (queries: readonly AggregateQuery[]) => {
        const { entries } = await record(mixedEvents(200));
        const before = await Promise.all(queries.map((query) => store.aggregate(query)));
        await removeAll({ receivedBefore: noon + 10 * minuteMs + 30_000 }, 40);
        expect(await store.retained()).toMatchObject({ frozenMinutes: 11 });
        return { entries, before };
      };

      it('of whole minutes stay, whatever types, currency and step', async () => {
        const windows = [
          { from: noon, to: noon + 20 * minuteMs },
          { from: noon + 3 * minuteMs, to: noon + 4 * minuteMs },
          { from: noon + 9 * minuteMs, to: noon + 13 * minuteMs },
        ];
        const filters = [
          {},
          { eventTypes: ['refund'] },
          { currency: 'USD' },
          { eventTypes: ['purchase', 'refund'], currency: 'EUR' },
        ];
        const steps = [{}, { stepMs: minuteMs }, { stepMs: 5 * minuteMs }];
        const queries = windows.flatMap((window) =>
          filters.flatMap((filter) => steps.map((step) => ({ ...window, filter, ...step }))),
        );
        const { before } = await recordAndRemove(queries);
        const after = await Promise.all(queries.map((query) => store.aggregate(query)));
        expect(after).toEqual(before);
        expect(before.every(({ buckets }) => buckets.length > 0)).toBe(true);
      });

      it('by user and at edges inside a minute stay where no minute is frozen', async () => {
        const byUser = { userIds: ['u1'] };
        const queries = [
          { from: noon + 11 * minuteMs + 1, to: noon + 15 * minuteMs - 1, filter: {} },
          { from: noon + 2 * minuteMs, to: noon + 11 * minuteMs + 20_000, filter: {} },
          { from: noon + 11 * minuteMs, to: noon + 20 * minuteMs, filter: byUser },
          { from: noon + 12 * minuteMs + 500, to: noon + 13 * minuteMs + 5, filter: byUser },
        ];
        const { entries, before } = await recordAndRemove(queries);
        for (const [index, query] of queries.entries()) {
          const after = await store.aggregate(query);
          expect(after).toEqual(before[index]);
          const counted = after.buckets.reduce((sum, { eventCount }) => sum + eventCount, 0);
          expect(counted).toBe(entries.filter((entry) => isAskedFor(entry, query)).length);
        }
      });

      it('are refused at an edge inside a frozen minute, naming the next whole minute', async () => {
        await recordAndRemove([]);
        const to = noon + 18 * minuteMs;
        for (const [minute, ms] of [
          [0, 1],
          [4, 30_000],
          [10, 59_999],
        ] as const) {
          const edge = noon + minute * minuteMs + ms;
          const next = noon + (minute + 1) * minuteMs;
          for (const filter of [{}, { eventTypes: ['refund'] }, { currency: 'EUR' }]) {
            await expect(store.aggregate({ from: edge, to, filter })).rejects.toMatchObject(
              refusal('/from', next),
            );
            const before = { from: noon - minuteMs, to: edge, filter };
            await expect(store.aggregate(before)).rejects.toMatchObject(refusal('/to', next));
          }
        }
      });

      it('by user are refused over a frozen minute, naming the next whole one', async () => {
        await recordAndRemove([]);
        const filter = { userIds: ['u1'] };
        for (const [from, to, next] of [
          [0, 20 * minuteMs, 11 * minuteMs],
          [-5 * minuteMs, 3 * minuteMs, 3 * minuteMs],
          [4 * minuteMs + 5, 5 * minuteMs, 5 * minuteMs],
          [10 * minuteMs + 59_999, 20 * minuteMs, 11 * minuteMs],
        ] as const) {
          const query = { from: noon + from, to: noon + to, filter };
          await expect(store.aggregate(query)).rejects.toMatchObject(refusal('/from', noon + next));
          await expect(
            store.aggregate({ ...query, filter: { ...filter, currency: 'EUR' }, stepMs: minuteMs }),
          ).rejects.toMatchObject({ code: 'invalid' });
        }
      });

      it('of a frozen minute take in late events, which can be removed in their turn', async () => {
        await record(everySecond(4));
        await removeAll({ receivedBefore: later });
        const late = { timestamp: noon + 2_000, receivedAt: noon + minuteMs };
        const { entries } = await record([
          anEvent({ ...late, amount: 7n, eventType: 'refund' }),
          anEvent({ ...late, amount: 5n }),
          anEvent({ timestamp: noon + minuteMs, receivedAt: noon + 2 * minuteMs }),
        ]);
        const expected = [
          ['purchase', 5, 45n],
          ['refund', 1, 7n],
        ];
        expect(await total(noon, noon + minuteMs)).toEqual(expected);
        expect(await store.verify()).toEqual([]);
        expect(await store.get(entries[0]?.event.id ?? '')).toBeDefined();
        await expect(
          store.aggregate({ from: noon + 1, to: noon + minuteMs, filter: {} }),
        ).rejects.toMatchObject(refusal('/from', noon + minuteMs));
        expect(await removeAll({ receivedBefore: later })).toMatchObject([
          { events: 3, minutes: 0 },
        ]);
        expect(await total(noon, noon + minuteMs)).toEqual(expected);
      });
    });

    describe('verify and rebuild', () => {
      it('pass over frozen minutes, whose counts their events do not give any more', async () => {
        await record(everySecond(6, 20));
        const before = await total(noon, noon + 2 * minuteMs);
        await removeAll({ receivedBefore: noon + 20_001 });
        expect(await store.verify()).toEqual([]);
        expect(await store.rebuild()).toBe(0);
        expect(await total(noon, noon + 2 * minuteMs)).toEqual(before);
        await harness.damageCounts(noon);
        const damaged = await total(noon, noon + minuteMs);
        expect(damaged).not.toEqual([['purchase', 3, 30n]]);
        expect(await store.verify()).toEqual([]);
        expect(await store.rebuild()).toBe(0);
        expect(await total(noon, noon + minuteMs)).toEqual(damaged);
      });

      it('still find and mend what differs in the other minutes', async () => {
        await record(everySecond(9, 20));
        const before = await total(noon, noon + 3 * minuteMs);
        await removeAll({ receivedBefore: noon + 20_001 });
        for (const minute of [noon + minuteMs, noon + 2 * minuteMs]) {
          await harness.damageCounts(minute);
          expect(await store.verify()).toMatchObject([{ minute, recomputed: { eventCount: 3 } }]);
          expect(await store.rebuild()).toBe(1);
          expect(await store.verify()).toEqual([]);
          expect(await total(noon, noon + 3 * minuteMs)).toEqual(before);
        }
      });
    });

    retentionModelTest(createHarness);
  });
}

/** Events that were received every so many seconds from noon on, and say when they happened. */
function everySecond(count: number, seconds = 1): readonly Event[] {
  return Array.from({ length: count }, (_, index) => {
    const at = noon + index * seconds * 1_000;
    return anEvent({ timestamp: at + 1, receivedAt: at, amount: 10n });
  });
}

/** Ten events in each minute from noon on, received in this order; of several users, types and currencies. */
function mixedEvents(count: number): readonly Event[] {
  return Array.from({ length: count }, (_, index) => {
    const at = noon + index * 6_000;
    return anEvent({
      userId: `u${index % 3}`,
      eventType: index % 4 === 0 ? 'refund' : 'purchase',
      currency: index % 5 === 0 ? 'USD' : 'EUR',
      amount: BigInt(index * 1_234_567),
      timestamp: at + 2_500,
      receivedAt: at + 3_000,
    });
  });
}

function together(removals: readonly Removal[]): Removal | undefined {
  const [first] = removals;
  const last = removals.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const sum = (of: 'events' | 'minutes') => removals.reduce((all, each) => all + each[of], 0);
  return { ...last, oldest: first.oldest, events: sum('events'), minutes: sum('minutes') };
}

function isAskedFor({ event }: LogEntry, { from, to, filter }: AggregateQuery): boolean {
  return matches(filter, event) && event.timestamp >= from && event.timestamp < to;
}

function refusal(pointer: string, next: number) {
  const detail = expect.stringContaining(formatInstant(next));
  return { code: 'invalid', details: [{ pointer, code: 'frozen_minute', detail }] };
}

function idsOf(entries: readonly LogEntry[]): readonly string[] {
  return entries.map(({ event }) => event.id);
}

function bare({ event }: LogEntry): Event {
  const { id, userId, eventType, amount, currency, timestamp, receivedAt, metadata } = event;
  return { id, userId, eventType, amount, currency, timestamp, receivedAt, metadata };
}
