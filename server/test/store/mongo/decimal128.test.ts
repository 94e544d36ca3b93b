import fc from 'fast-check';
import { Decimal128 } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { formatAmount } from '../../../src/event/money.ts';
import { fromDecimal128, toDecimal128 } from '../../../src/store/mongo/decimal128.ts';

describe('an amount in MongoDB', () => {
  it('comes back as it was, up to 34 digits', () => {
    const max = 10n ** 34n - 1n;
    fc.assert(
      fc.property(fc.bigInt({ min: -max, max }), (micros) => {
        expect(fromDecimal128(toDecimal128(micros))).toBe(micros);
      }),
    );
  });

  it('is to the bit what its text would be', () => {
    const amount = fc.tuple(fc.maxSafeNat(), fc.nat({ max: 15 })).map(([digits, zeros]) => {
      const scale = 10 ** zeros;
      return BigInt(Math.floor(digits / scale)) * BigInt(scale);
    });
    fc.assert(
      fc.property(amount, (micros) => {
        const byText = Decimal128.fromString(formatAmount(micros));
        expect(Buffer.from(toDecimal128(micros).bytes)).toEqual(Buffer.from(byText.bytes));
      }),
      { examples: [[0n], [BigInt(Number.MAX_SAFE_INTEGER)], [2n ** 32n], [2n ** 32n - 1n]] },
    );
  });

  it('reads as people write it', () => {
    expect(toDecimal128(150_750_000n).toString()).toBe('150.75');
    expect(toDecimal128(0n).toString()).toBe('0');
    expect(toDecimal128(1n).toString()).toBe('0.000001');
    expect(toDecimal128(999_999_999_999_999_999n).toString()).toBe('999999999999.999999');
  });

  it('is read in every spelling of the server', () => {
    expect(fromDecimal128(Decimal128.fromString('1E+3'))).toBe(1_000_000_000n);
    expect(fromDecimal128(Decimal128.fromString('150.7500'))).toBe(150_750_000n);
    expect(fromDecimal128(Decimal128.fromString('1E-6'))).toBe(1n);
    expect(fromDecimal128(Decimal128.fromString('0E-20'))).toBe(0n);
  });

  it.each(['NaN', 'Infinity', '1E-7'])('is never guessed from %s', (text) => {
    expect(() => fromDecimal128(Decimal128.fromString(text))).toThrow('no amount');
  });
});
