import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Latencies } from '../../src/cli/generate/latencies.ts';
import { ShopTraffic, type TrafficOptions } from '../../src/cli/generate/shop-traffic.ts';
import { parseEventTypes } from '../../src/event/event-rules.ts';
import { parseEvent } from '../../src/event/parse-event.ts';

const now = Date.UTC(2026, 5, 30, 12);
const rules = {
  eventTypes: parseEventTypes('purchase:+,return:-,refund:-'),
  defaultCurrency: 'XXX',
  maxFutureMs: 0,
};

describe('shop traffic', () => {
  it('is valid, and its source says what its fields say', () => {
    for (const event of someTraffic(2_000)) {
      expect(() =>
        parseEvent(event.fields, { rules, receivedAt: now, newId: () => '' }),
      ).not.toThrow();
      expect(JSON.parse(event.source)).toEqual(event.fields);
    }
  });

  it('is the same for the same seed, and another for another', () => {
    const sources = (seed: string) => someTraffic(300, { seed }).map(({ source }) => source);
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        expect(sources(one)).toEqual(sources(one));
        if (one !== other) expect(sources(one)).not.toEqual(sources(other));
      }),
      { numRuns: 20 },
    );
  });

  it('is mostly purchases, and what comes back was bought before, once, by the same user', () => {
    const bought = new Map<string, { user: unknown; amount: number; currency: unknown }>();
    const counts = { purchase: 0, return: 0, refund: 0 };
    for (const { fields } of someTraffic(5_000)) {
      const type = fields.event_type as keyof typeof counts;
      counts[type] += 1;
      const { order_id: order } = fields.metadata as { readonly order_id: string };
      const amount = Number(fields.amount);
      if (type === 'purchase') {
        bought.set(order, { user: fields.user_id, amount, currency: fields.currency });
        continue;
      }
      const purchase = bought.get(order);
      expect(purchase).toMatchObject({ user: fields.user_id, currency: fields.currency });
      expect(amount).toBeLessThanOrEqual(purchase?.amount ?? 0);
      bought.delete(order);
    }
    expect(counts.purchase).toBeGreaterThan(4_000);
    expect(counts.return).toBeGreaterThan(100);
    expect(counts.refund).toBeGreaterThan(50);
  });

  it('has few customers that buy much, several currencies and a few late events', () => {
    const events = someTraffic(5_000);
    const byUser = Map.groupBy(events, ({ fields }) => fields.user_id);
    const largest = Math.max(...Array.from(byUser.values(), (theirs) => theirs.length));
    expect(largest).toBeGreaterThan((10 * events.length) / byUser.size);
    const currencies = new Set(events.map(({ fields }) => fields.currency));
    expect([...currencies].sort()).toEqual(['EUR', 'GBP', 'JPY', 'USD']);
    const late = events.filter(({ fields }) => fields.timestamp !== undefined);
    expect(late.length).toBeGreaterThan(0);
    expect(late.length).toBeLessThan(events.length / 20);
  });
});

describe('latencies', () => {
  it('give percentiles that are right within 2 %, and the exact maximum', () => {
    const some = fc.array(fc.double({ min: 0.02, max: 1e5, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(some, fc.constantFrom(1, 50, 90, 99, 100), (durations, percent) => {
        const latencies = new Latencies();
        for (const ms of durations) latencies.add(ms);
        const sorted = durations.toSorted((x, y) => x - y);
        const exact = sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? 0;
        expect(latencies.percentileMs(percent)).toBeGreaterThanOrEqual(exact * 0.9999);
        expect(latencies.percentileMs(percent)).toBeLessThanOrEqual(exact * 1.0201);
        expect(latencies.maxMs).toBe(sorted.at(-1));
      }),
    );
  });

  it('are 0 when nothing was counted, and take what a clock makes negative', () => {
    const latencies = new Latencies();
    expect(latencies.percentileMs(99)).toBe(0);
    latencies.add(-0.5);
    latencies.add(3);
    expect(latencies.percentileMs(99)).toBeCloseTo(3, 5);
  });
});

function someTraffic(count: number, changes: Partial<TrafficOptions> = {}) {
  const traffic = new ShopTraffic({
    seed: 'test',
    idPrefix: 'demo-test',
    customers: 200,
    lateBefore: undefined,
    ...changes,
  });
  return Array.from({ length: count }, () => traffic.next(now));
}
