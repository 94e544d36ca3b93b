import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sign } from '../../src/event/event.ts';
import { assertSeriesLength, seriesOf, totalsOf } from '../../src/hub/totals.ts';
import type { Bucket } from '../../src/store/event-store.ts';

const signs: ReadonlyMap<string, Sign> = new Map([
  ['purchase', '+'],
  ['refund', '-'],
  ['note', ''],
]);
const window = { from: 0, to: 60_000, timeWindow: 'custom', currency: undefined };
const bucket = (changes: Partial<Bucket> = {}): Bucket => ({
  start: 0,
  eventType: 'purchase',
  currency: 'EUR',
  eventCount: 1,
  total: 10n,
  ...changes,
});

const bucketArbitrary = fc.record({
  start: fc.constant(0),
  eventType: fc.constantFrom('purchase', 'refund', 'note'),
  currency: fc.constantFrom('EUR', 'USD'),
  eventCount: fc.integer({ min: 1, max: 1_000 }),
  total: fc.bigInt({ min: 0n, max: 10n ** 24n }),
});

describe('totals', () => {
  it('add and take away by the sign of the type, on reading', () => {
    const totals = totalsOf(
      window,
      [
        bucket({ total: 100n }),
        bucket({ eventType: 'refund', total: 30n }),
        bucket({ eventType: 'note', total: 7n }),
      ],
      undefined,
      signs,
    );
    expect(totals).toMatchObject({ total: 137n, net: 70n, eventCount: 3, currency: 'EUR' });
  });

  it('of an empty window are zero, with no currency unless one was asked for', () => {
    expect(totalsOf(window, [], undefined, signs)).toMatchObject({
      total: 0n,
      net: 0n,
      currency: undefined,
    });
    expect(totalsOf({ ...window, currency: 'EUR' }, [], undefined, signs).currency).toBe('EUR');
  });

  it('never add amounts of different currencies, and always list each currency', () => {
    fc.assert(
      fc.property(fc.array(bucketArbitrary), (buckets) => {
        const totals = totalsOf(window, buckets, undefined, signs);
        const currencies = [...new Set(buckets.map(({ currency }) => currency))].sort();
        expect(totals.byCurrency.map(({ currency }) => currency)).toEqual(currencies);
        expect(totals.total === undefined).toBe(currencies.length > 1);
        for (const { currency, total, net } of totals.byCurrency) {
          const own = buckets.filter((candidate) => candidate.currency === currency);
          expect(total).toBe(own.reduce((sum, candidate) => sum + candidate.total, 0n));
          const signed = own.map(({ eventType, total: part }) =>
            eventType === 'purchase' ? part : eventType === 'refund' ? -part : 0n,
          );
          expect(net).toBe(signed.reduce((sum, part) => sum + part, 0n));
        }
      }),
    );
  });

  it('of a series cut the first and last step to the window and keep empty steps', () => {
    const options = {
      window: { from: 30_000, to: 190_000, timeWindow: 'custom', currency: undefined },
      step: '1m',
      stepMs: 60_000,
      byEventType: false,
    };
    const { buckets } = seriesOf(
      options,
      { buckets: [bucket({ start: 60_000 })], asOf: undefined },
      signs,
    );
    expect(buckets.map(({ from, to, eventCount }) => [from, to, eventCount])).toEqual([
      [30_000, 60_000, 0],
      [60_000, 120_000, 1],
      [120_000, 180_000, 0],
      [180_000, 190_000, 0],
    ]);
    const grouped = seriesOf(
      { ...options, byEventType: true },
      {
        buckets: [bucket({ start: 60_000 }), bucket({ start: 60_000, eventType: 'refund' })],
        asOf: undefined,
      },
      signs,
    );
    expect(grouped.buckets.map(({ eventType }) => eventType)).toEqual(['purchase', 'refund']);
  });

  it('of a series of more than 10,000 steps are refused', () => {
    expect(() => assertSeriesLength(0, 10_000 * 60_000, 60_000)).not.toThrow();
    expect(() => assertSeriesLength(0, 10_000 * 60_000 + 1, 60_000)).toThrow('at most 10000');
  });
});
