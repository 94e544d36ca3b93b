import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyRemoved } from '../../src/cli/copy/copy-removed.ts';
import type { Event } from '../../src/event/event.ts';
import { minuteMs } from '../../src/event/minute.ts';
import { removedEventOf } from '../../src/event/removed-event.ts';
import type { Position } from '../../src/log/event-log.ts';
import type { EventStore, RemovedRecord } from '../../src/store/event-store.ts';
import { anEvent } from '../support/build-event.ts';
import type { StoreHarness } from './event-store.suite.ts';
import { timedEntries } from './retention-steps.ts';

const shard = '0';
const noon = Date.UTC(2026, 5, 30, 12, 0, 0);
const minutes = 3;
const window = { from: noon, to: noon + minutes * minuteMs };

/** What a store takes over of another hub's retention: part of the suite of what is kept aside. */
export function keepRemovedSuite(createHarness: () => Promise<StoreHarness>): void {
  describe("what another hub's retention left", () => {
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

    const record = async (events: readonly Event[]) => {
      const entries = await timedEntries(harness, events, next);
      next += events.length;
      return { entries, recorded: await store.record(shard, entries) };
    };
    const totals = async () => await totalsOf(store);

    it('is known from then on, in pages and in the order of ids, and counts nothing', async () => {
      const gone = Array.from({ length: 7 }, () => bare(anEvent()));
      const records = gone.map(recordOf);
      expect(await store.keepRemoved(records.slice(0, 4))).toEqual(new Map());
      expect(await store.keepRemoved(records)).toEqual(new Map());
      expect(await store.keepRemoved([])).toEqual(new Map());
      const known = await store.getMany(gone.map(({ id }) => id));
      const [first] = gone;
      expect(known.size).toBe(7);
      expect(known.get(first?.id ?? '')).toMatchObject({ event: removedEventOf(first as Event) });
      const pages: RemovedRecord[] = [];
      for (let after: string | undefined; pages.length < 7; after = pages.at(-1)?.id) {
        pages.push(...(await store.removedEvents(after, 3)));
      }
      expect(await store.removedEvents(pages.at(-1)?.id, 3)).toEqual([]);
      expect(pages.map(({ id }) => id)).toEqual(gone.map(({ id }) => id).toSorted());
      expect(await totals()).toEqual([]);
      expect(await store.retained()).toEqual({
        floors: new Map(),
        removedEvents: 0,
        frozenMinutes: 0,
      });
    });

    it('tells a repeat of it from other content', async () => {
      const [first, second] = [bare(anEvent()), bare(anEvent())];
      await store.keepRemoved([first, second].map(recordOf));
      const { recorded } = await record([
        { ...first, receivedAt: first.receivedAt + 1_000 },
        { ...second, amount: 1n },
        anEvent({ timestamp: noon }),
      ]);
      expect(recorded).toEqual({ added: 1, duplicates: 1, conflicts: 1 });
      expect(await store.get(first.id)).toBeUndefined();
    });

    it('leaves what the store knows by itself, and says what that is', async () => {
      const events = Array.from({ length: 3 }, () => bare(anEvent({ timestamp: noon })));
      const { entries } = await record(events);
      await store.removeOldest(shard, { receivedBefore: noon + 365 * 24 * 60 * minuteMs }, 1);
      const known = await store.keepRemoved(events.map(recordOf));
      const before = await store.getMany(events.map(({ id }) => id));
      expect([...known.keys()].toSorted()).toEqual(events.map(({ id }) => id).toSorted());
      for (const [index, { event, position }] of entries.entries()) {
        expect(known.get(event.id)).toMatchObject({
          position,
          event: index === 0 ? removedEventOf(event) : events[index],
        });
        expect(before.get(event.id)).toMatchObject({ position });
      }
    });

    it('is counted in frozen minutes as it was given last', async () => {
      await record([anEvent({ timestamp: noon + 5, amount: 3n })]);
      const frozen = (eventCount: number, total: bigint) => ({
        minute: noon,
        removed: [
          { eventType: 'purchase', currency: 'EUR', eventCount, total },
          { eventType: 'refund', currency: 'USD', eventCount: 1, total: 10n ** 15n + 1n },
        ],
      });
      await store.keepFrozen([frozen(2, 20n), { minute: noon + minuteMs, removed: [] }]);
      await store.keepFrozen([frozen(5, 50n)]);
      await store.keepFrozen([frozen(5, 50n)]);
      await record([anEvent({ timestamp: noon + 6, amount: 4n })]);
      expect(await totals()).toEqual([
        [noon, 'purchase', 'EUR', 7, 57n],
        [noon, 'refund', 'USD', 1, 10n ** 15n + 1n],
      ]);
      expect(await store.verify()).toEqual([]);
      expect(await store.rebuild()).toBe(0);
      expect(await store.frozenMinutes(undefined, 1)).toEqual([frozen(5, 50n)]);
      expect(await store.frozenMinutes(noon, 10)).toEqual([
        { minute: noon + minuteMs, removed: [] },
      ]);
      expect(await store.retained()).toMatchObject({ removedEvents: 0, frozenMinutes: 2 });
      await expect(
        store.aggregate({ from: noon + 1, to: window.to, filter: {} }),
      ).rejects.toMatchObject({ details: [{ code: 'frozen_minute' }] });
      await store.keepFrozen([{ minute: noon, removed: [] }]);
      expect(await totals()).toEqual([[noon, 'purchase', 'EUR', 2, 7n]]);
    });

    it('leaves a minute as it is of which both have removed the same event', async () => {
      const source = await openSide(createHarness);
      const target = await openSide(createHarness);
      const at = (minute: number) => bare(anEvent({ timestamp: noon + minute * minuteMs }));
      await source.record([at(0), at(0), at(1), at(2)]);
      await source.store.removeOldest(shard, { receivedBefore: window.to * 2 }, 1);
      await copyEvents(source, target);
      await source.store.removeOldest(shard, { receivedBefore: window.to * 2 }, 2);
      await target.store.removeOldest(shard, { receivedBefore: window.to * 2 }, 1);
      expect(await copyRemoved(source.store, target.store)).toBe(1);
      expect((await totalsOf(target.store)).map(([, , , count]) => count)).toEqual([1, 1, 1]);
      expect(await target.store.retained()).toMatchObject({ frozenMinutes: 2 });
      await source.end();
      await target.end();
    });

    it('gives the totals of the other hub, whatever was removed and copied in which order', {
      timeout: 240_000,
    }, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
          const source = await openSide(createHarness);
          const target = await openSide(createHarness);
          try {
            for (const each of steps) await run(each, source, target);
            await copy(source, target);
            const expected = await totalsOf(source.store);
            for (let times = 0; times < 2; times += 1) {
              expect(await totalsOf(target.store)).toEqual(expected);
              expect(await copy(source, target)).toBe(0);
            }
            expect(await target.store.verify()).toEqual([]);
            expect((await target.record(source.sent)).added).toBe(0);
            expect(await target.store.conflicts(10)).toEqual([]);
            expect(await totalsOf(target.store)).toEqual(expected);
          } finally {
            await source.end();
            await target.end();
          }
        }),
        { numRuns: 8 },
      );
    });
  });
}

interface Side {
  readonly store: EventStore;
  readonly sent: readonly Event[];
  record(events: readonly Event[]): Promise<{ readonly added: number }>;
  end(): Promise<void>;
}

async function openSide(createHarness: () => Promise<StoreHarness>): Promise<Side> {
  const harness = await createHarness();
  const store = await harness.open();
  const sent: Event[] = [];
  let next = 1;
  return {
    store,
    sent,
    record: async (events) => {
      const entries = await timedEntries(harness, events, next);
      next += events.length;
      sent.push(...events);
      return await store.record(shard, entries);
    },
    end: async () => {
      await store.close();
      await harness.destroy();
    },
  };
}

type Step =
  | { readonly record: readonly Event[] }
  | { readonly remove: number }
  | { readonly copy: 'events' | 'all' };

const event = fc
  .record({
    minute: fc.integer({ min: 0, max: minutes - 1 }),
    amount: fc.integer({ min: 0, max: 9 }),
    eventType: fc.constantFrom('purchase', 'refund'),
    currency: fc.constantFrom('EUR', 'USD'),
  })
  .map(({ minute, amount, ...of }) =>
    bare(anEvent({ ...of, amount: BigInt(amount), timestamp: noon + minute * minuteMs + 17 })),
  );
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ record: fc.array(event, { maxLength: 6 }) }) },
  { weight: 3, arbitrary: fc.record({ remove: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ copy: fc.constantFrom('events' as const, 'all' as const) }) },
);

async function run(step: Step, source: Side, target: Side): Promise<void> {
  if ('record' in step) {
    await source.record(step.record);
  } else if ('remove' in step) {
    await source.store.removeOldest(shard, { receivedBefore: window.to * 2 }, step.remove);
  } else if (step.copy === 'events') {
    await copyEvents(source, target);
  } else {
    await copy(source, target);
  }
}

async function copy(source: Side, target: Side): Promise<number> {
  await copyEvents(source, target);
  return await copyRemoved(source.store, target.store);
}

async function copyEvents(source: Side, target: Side): Promise<void> {
  const entries = await source.store.entriesAfter(shard, 'start', 1_000);
  await target.record(entries.map(({ event }) => event));
}

async function totalsOf(store: EventStore) {
  const { buckets } = await store.aggregate({ ...window, filter: {}, stepMs: minuteMs });
  return buckets.map(({ start, eventType, currency, eventCount, total }) => [
    start,
    eventType,
    currency,
    eventCount,
    total,
  ]);
}

function recordOf(event: Event): RemovedRecord {
  return { ...removedEventOf(event), shard: 'elsewhere', position: 'elsewhere-1' as Position };
}

function bare(event: Event): Event {
  const { id, userId, eventType, amount, currency, timestamp, receivedAt, metadata } = event;
  return { id, userId, eventType, amount, currency, timestamp, receivedAt, metadata };
}
