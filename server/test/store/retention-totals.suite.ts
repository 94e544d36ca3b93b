import { describe, expect, it } from 'vitest';
import { formatInstant } from '../../src/base/clock.ts';
import type { Event } from '../../src/event/event.ts';
import { matches } from '../../src/event/filter.ts';
import type { LogEntry } from '../../src/log/event-log.ts';
import type { AggregateQuery } from '../../src/store/event-store.ts';
import { anEvent } from '../support/build-event.ts';
import { everySecond, later, noon, type RetentionSteps } from './retention-steps.ts';

const minuteMs = 60_000;

/** Part of the suite of retention: what totals say of minutes that lost events. */
export function retentionTotalsTests(at: RetentionSteps): void {
  describe('totals', () => {
    /** Twenty minutes of which the first half and a bit loses events. */
    const recordAndRemove = async (queries: readonly AggregateQuery[]) => {
      const { entries } = await at.record(mixedEvents(200));
      const before = await Promise.all(queries.map((query) => at.store.aggregate(query)));
      await at.removeAll({ receivedBefore: noon + 10 * minuteMs + 30_000 }, 40);
      expect(await at.store.retained()).toMatchObject({ frozenMinutes: 11 });
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
      const after = await Promise.all(queries.map((query) => at.store.aggregate(query)));
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
        const after = await at.store.aggregate(query);
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
          await expect(at.store.aggregate({ from: edge, to, filter })).rejects.toMatchObject(
            refusal('/from', next),
          );
          const before = { from: noon - minuteMs, to: edge, filter };
          await expect(at.store.aggregate(before)).rejects.toMatchObject(refusal('/to', next));
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
        await expect(at.store.aggregate(query)).rejects.toMatchObject(
          refusal('/from', noon + next),
        );
        await expect(
          at.store.aggregate({
            ...query,
            filter: { ...filter, currency: 'EUR' },
            stepMs: minuteMs,
          }),
        ).rejects.toMatchObject({ code: 'invalid' });
      }
    });

    it('of a frozen minute take in late events, which can be removed in their turn', async () => {
      await at.record(everySecond(4));
      await at.removeAll({ receivedBefore: later });
      const late = { timestamp: noon + 2_000, receivedAt: noon + minuteMs };
      const { entries } = await at.record([
        anEvent({ ...late, amount: 7n, eventType: 'refund' }),
        anEvent({ ...late, amount: 5n }),
        anEvent({ timestamp: noon + minuteMs, receivedAt: noon + 2 * minuteMs }),
      ]);
      const expected = [
        ['purchase', 5, 45n],
        ['refund', 1, 7n],
      ];
      expect(await at.total(noon, noon + minuteMs)).toEqual(expected);
      expect(await at.store.verify()).toEqual([]);
      expect(await at.store.get(entries[0]?.event.id ?? '')).toBeDefined();
      await expect(
        at.store.aggregate({ from: noon + 1, to: noon + minuteMs, filter: {} }),
      ).rejects.toMatchObject(refusal('/from', noon + minuteMs));
      expect(await at.removeAll({ receivedBefore: later })).toMatchObject([
        { events: 3, minutes: 0 },
      ]);
      expect(await at.total(noon, noon + minuteMs)).toEqual(expected);
    });
  });

  describe('verify and rebuild', () => {
    it('pass over frozen minutes, whose counts their events do not give any more', async () => {
      await at.record(everySecond(6, 20));
      const before = await at.total(noon, noon + 2 * minuteMs);
      await at.removeAll({ receivedBefore: noon + 20_001 });
      expect(await at.store.verify()).toEqual([]);
      expect(await at.store.rebuild()).toBe(0);
      expect(await at.total(noon, noon + 2 * minuteMs)).toEqual(before);
      await at.harness.damageCounts(noon);
      const damaged = await at.total(noon, noon + minuteMs);
      expect(damaged).not.toEqual([['purchase', 3, 30n]]);
      expect(await at.store.verify()).toEqual([]);
      expect(await at.store.rebuild()).toBe(0);
      expect(await at.total(noon, noon + minuteMs)).toEqual(damaged);
    });

    it('still find and mend what differs in the other minutes', async () => {
      await at.record(everySecond(9, 20));
      const before = await at.total(noon, noon + 3 * minuteMs);
      await at.removeAll({ receivedBefore: noon + 20_001 });
      for (const minute of [noon + minuteMs, noon + 2 * minuteMs]) {
        await at.harness.damageCounts(minute);
        expect(await at.store.verify()).toMatchObject([{ minute, recomputed: { eventCount: 3 } }]);
        expect(await at.store.rebuild()).toBe(1);
        expect(await at.store.verify()).toEqual([]);
        expect(await at.total(noon, noon + 3 * minuteMs)).toEqual(before);
      }
    });
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

function isAskedFor({ event }: LogEntry, { from, to, filter }: AggregateQuery): boolean {
  return matches(filter, event) && event.timestamp >= from && event.timestamp < to;
}

function refusal(pointer: string, next: number) {
  const detail = expect.stringContaining(formatInstant(next));
  return { code: 'invalid', details: [{ pointer, code: 'frozen_minute', detail }] };
}
