import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareEntryIds,
  formatPosition,
  parsePosition,
} from '../../../src/log/redis/redis-position.ts';

const half = fc.oneof(fc.nat({ max: 20 }).map(BigInt), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
const entry = fc.tuple(half, half);
const idOf = ([ms, sequence]: readonly [bigint, bigint]) => `${ms}-${sequence}`;
const positionOf = (one: readonly [bigint, bigint]) =>
  formatPosition(idOf(one), '89abcdef', '01234567');

describe('a position in Redis', () => {
  it('gives back the entry, the log and the fingerprint that it names', () => {
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const parts = entries.map(positionOf).map(parsePosition);
        expect(parts).toEqual(
          entries.map((one) => ({
            entryId: idOf(one),
            logId: '89abcdef',
            fingerprint: '01234567',
          })),
        );
      }),
    );
  });

  it('sorts as the entries do', () => {
    fc.assert(
      fc.property(entry, entry, (a, b) => {
        const order = a[0] === b[0] ? a[1] - b[1] : a[0] - b[0];
        const sign = order < 0n ? -1 : order > 0n ? 1 : 0;
        const [first, second] = [positionOf(a), positionOf(b)];
        expect(first < second ? -1 : first > second ? 1 : 0).toBe(sign);
        expect(Math.sign(compareEntryIds(idOf(a), idOf(b)))).toBe(sign);
      }),
    );
  });
});
