import fc from 'fast-check';
import { Decimal128 } from 'mongodb';
import { describe, expect, it } from 'vitest';
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
