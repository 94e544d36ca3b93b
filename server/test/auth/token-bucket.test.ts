import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BucketTable } from '../../src/auth/bucket-table.ts';
import { TokenBucket } from '../../src/auth/token-bucket.ts';

const size = fc.record({
  ratePerS: fc.integer({ min: 1, max: 1_000_000 }),
  burstMs: fc.integer({ min: 1, max: 60 }).map((seconds) => seconds * 1_000),
});
/** Somebody asks after a pause, for a share of a full bucket. */
const asks = fc.array(
  fc.record({
    pauseMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5_000, noNaN: true })),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { minLength: 1, maxLength: 60 },
);
const start = fc.double({ min: 0, max: 1e10, noNaN: true });

type Size = { readonly ratePerS: number; readonly burstMs: number };
type Asks = readonly { readonly pauseMs: number; readonly share: number }[];

const capacityOf = ({ ratePerS, burstMs }: Size) => (ratePerS * burstMs) / 1_000;

/** What each ask got, when it had to wait for nothing; `most` is the largest ask in capacities. */
function takings(of: Size, steps: Asks, startMs: number, most = 1) {
  const bucket = new TokenBucket(of);
  const taken: { atMs: number; tokens: number }[] = [];
  let nowMs = startMs;
  for (const { pauseMs, share } of steps) {
    nowMs += pauseMs;
    const tokens = Math.max(1, Math.floor(capacityOf(of) * most * share));
    if (bucket.waitMs(tokens, nowMs) > 0) continue;
    bucket.take(tokens, nowMs);
    taken.push({ atMs: nowMs, tokens });
  }
  return { bucket, taken, nowMs };
}

/** The most that was taken beyond the rate in any stretch of time. */
function aboveRate({ ratePerS }: Size, taken: ReturnType<typeof takings>['taken']): number {
  let most = 0;
  for (const [first, { atMs }] of taken.entries()) {
    let sum = 0;
    for (const each of taken.slice(first)) {
      sum += each.tokens;
      most = Math.max(most, sum - ((each.atMs - atMs) * ratePerS) / 1_000);
    }
  }
  return most;
}

describe('a token bucket', () => {
  it('gives in no stretch of time more than the rate and a burst', () => {
    fc.assert(
      fc.property(size, asks, start, (of, steps, startMs) => {
        const { taken } = takings(of, steps, startMs);
        expect(aboveRate(of, taken)).toBeLessThanOrEqual(capacityOf(of) + 1);
      }),
    );
  });

  it('gives more than it holds only when it is full, and then that once instead of a burst', () => {
    fc.assert(
      fc.property(size, asks, start, (of, steps, startMs) => {
        const { taken } = takings(of, steps, startMs, 10);
        const largest = Math.max(0, ...taken.map(({ tokens }) => tokens));
        expect(aboveRate(of, taken)).toBeLessThanOrEqual(Math.max(capacityOf(of), largest) + 1);
      }),
    );
  });

  it('gives something at last, however much is asked for', () => {
    fc.assert(
      fc.property(size, asks, start, fc.integer({ min: 1, max: 10_000 }), (of, steps, at, n) => {
        const { bucket, nowMs } = takings(of, steps, at, 10);
        const waitMs = bucket.waitMs(n, nowMs);
        expect(bucket.waitMs(n, nowMs + waitMs)).toBe(0);
        if (waitMs > 1) expect(bucket.waitMs(n, nowMs + waitMs - 1)).toBeGreaterThan(0);
      }),
    );
  });

  it('says what is left: whole, never negative, never above a full one, and true', () => {
    fc.assert(
      fc.property(size, asks, start, (of, steps, startMs) => {
        const { bucket, nowMs } = takings(of, steps, startMs, 10);
        const left = bucket.left(nowMs);
        expect(Number.isInteger(left)).toBe(true);
        expect(left).toBeGreaterThanOrEqual(0);
        expect(left).toBeLessThanOrEqual(capacityOf(of));
        if (left > 0) expect(bucket.waitMs(left, nowMs)).toBe(0);
        if (left < capacityOf(of)) expect(bucket.waitMs(left + 1, nowMs)).toBeGreaterThan(0);
      }),
    );
  });

  it('fills again in the time that it says, and not further', () => {
    fc.assert(
      fc.property(size, asks, start, fc.nat(100_000), (of, steps, startMs, longerMs) => {
        const { bucket, nowMs } = takings(of, steps, startMs, 10);
        const fullMs = nowMs + bucket.fullInMs(nowMs) + longerMs;
        expect(bucket.left(fullMs)).toBe(capacityOf(of));
        expect(bucket.fullInMs(fullMs + 1)).toBe(0);
      }),
    );
  });

  it('takes nothing from who is refused', () => {
    const bucket = new TokenBucket({ ratePerS: 1, burstMs: 2_000 });
    bucket.take(2, 0);
    for (let tries = 0; tries < 100; tries += 1) expect(bucket.waitMs(1, 500)).toBe(500);
    expect(bucket.waitMs(1, 1_000)).toBe(0);
  });
});

describe('a table of buckets', () => {
  const of = { ratePerS: 1, burstMs: 1_000 };

  it('keeps each owner apart', () => {
    const table = new BucketTable(of);
    table.use('a').take(1, 0);
    expect(table.use('a').waitMs(1, 0)).toBe(1_000);
    expect(table.use('b').waitMs(1, 0)).toBe(0);
  });

  it('remembers so many and no more, and those that were used last', () => {
    const owner = fc.nat(20).map(String);
    fc.assert(
      fc.property(fc.array(owner), fc.integer({ min: 1, max: 10 }), (owners, most) => {
        const table = new BucketTable(of, most);
        for (const each of owners) {
          const bucket = table.use(each);
          if (bucket.waitMs(1, 0) === 0) bucket.take(1, 0);
          expect(table.length).toBeLessThanOrEqual(most);
        }
        const lastUsed = [...new Set(owners.toReversed())].slice(0, most);
        for (const each of lastUsed) expect(table.find(each).waitMs(1, 0)).toBe(1_000);
        expect(table.length).toBe(lastUsed.length);
      }),
    );
  });

  it('remembers nobody for being looked at', () => {
    const table = new BucketTable(of);
    expect(table.find('a').left(0)).toBe(1);
    expect(table.length).toBe(0);
  });
});
