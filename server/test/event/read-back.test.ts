import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstant } from '../../src/base/clock.ts';
import { formatAmount } from '../../src/event/money.ts';
import { readBack, type WrittenEvent } from '../../src/event/read-back.ts';

const written: WrittenEvent = {
  id: 'a',
  userId: 'u',
  eventType: 'purchase',
  amount: '1',
  timestamp: '2026-01-01T00:00:00.000Z',
  currency: 'EUR',
  receivedAt: '2026-01-01T00:00:00.000Z',
  metadata: '',
};
/** 12 digits before the point and 6 behind it, each length as often as the others. */
const amount = fc
  .tuple(fc.nat({ max: 17 }), fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }))
  .map(([shorter, micros]) => micros / 10n ** BigInt(shorter));

describe('an event of a log', () => {
  it('has the amount that was written, to the millionth', () => {
    fc.assert(
      fc.property(amount, (micros) => {
        const event = readBack({ ...written, amount: formatAmount(micros) });
        expect(event).toMatchObject({ amount: micros });
      }),
      { examples: [[0n], [10n ** 15n - 1n], [10n ** 15n], [10n ** 18n - 1n]] },
    );
  });

  it.each(['', '-1', '1.', '.5', '1.0000001', '1234567890123', '1e3', ' 1', '1\n'])(
    'is none with the amount %j',
    (text) => {
      expect(readBack({ ...written, amount: text })).toBe('amount is no decimal of a hub');
    },
  );

  it('has both times, also where they are the same', () => {
    const time = fc.integer({ min: 0, max: 4e12 });
    fc.assert(
      fc.property(time, fc.option(time), (timestamp, other) => {
        const receivedAt = other ?? timestamp;
        const times = {
          timestamp: formatInstant(timestamp),
          receivedAt: formatInstant(receivedAt),
        };
        expect(readBack({ ...written, ...times })).toMatchObject({ timestamp, receivedAt });
      }),
    );
  });

  it('is none without a time, and says which', () => {
    const none = { timestamp: 'yesterday', receivedAt: 'yesterday' };
    expect(readBack({ ...written, ...none })).toMatch(/^timestamp must be/);
    expect(readBack({ ...written, receivedAt: 'now' })).toMatch(/^received_at must be/);
  });
});
