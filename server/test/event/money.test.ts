import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InexactNumber, parseJson } from '../../src/base/json.ts';
import { amountToNumber, formatAmount, parseAmount } from '../../src/event/money.ts';

const largest = 999_999_999_999_000_000n;
const anyMicros = fc.oneof(
  fc.bigInt({ min: 0n, max: largest }),
  fc.bigInt({ min: 0n, max: 10n ** 9n }),
  fc.bigInt({ min: 0n, max: 999_999_999_999n }).map((units) => units * 1_000_000n),
);

function codeOf(value: unknown): string | undefined {
  const amount = parseAmount(value);
  return typeof amount === 'bigint' ? undefined : amount.code;
}

function detailOf(value: unknown): string | undefined {
  const amount = parseAmount(value);
  return typeof amount === 'bigint' ? undefined : amount.detail;
}

describe('parseAmount', () => {
  it('reads back every amount that formatAmount writes', () => {
    fc.assert(
      fc.property(anyMicros, (micros) => {
        expect(parseAmount(formatAmount(micros))).toBe(micros);
      }),
      { numRuns: 5_000 },
    );
  });

  it('takes decimal text as the model of big integers does', () => {
    const text = fc
      .tuple(fc.stringMatching(/^(0|[1-9][0-9]{0,12})$/), fc.stringMatching(/^(\.[0-9]{1,8})?$/))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (source) => {
        const [whole = '', fraction = ''] = source.split('.');
        const decimals = fraction.replace(/0+$/, '');
        const micros = BigInt(whole) * 10n ** 6n + BigInt(decimals.slice(0, 6).padEnd(6, '0'));
        const amount = parseAmount(source);
        if (decimals.length > 6) expect(codeOf(source)).toBe('amount_precision');
        else if (micros > largest) expect(codeOf(source)).toBe('amount_range');
        else expect(amount).toBe(micros);
      }),
      { numRuns: 5_000 },
    );
  });

  it('takes a JSON number for the same amount as its text, or asks for the text', () => {
    fc.assert(
      fc.property(anyMicros, (micros) => {
        const text = formatAmount(micros);
        const digits = text.replace('.', '').replace(/^0+/, '').replace(/0+$/, '').length;
        const amount = parseAmount(parseJson(text));
        if (digits <= 15) expect(amount).toBe(micros);
        else expect(codeOf(parseJson(text))).toBe('amount_digits');
      }),
      { numRuns: 5_000 },
    );
  });

  it('takes any double by its shortest decimal, and never rounds', () => {
    const double = fc.oneof(
      fc.double(),
      fc.double({ min: 0, max: 1e12 }),
      fc.integer({ min: 0, max: 10 ** 9 }).map((cents) => cents / 100),
    );
    fc.assert(
      fc.property(double, (value) => {
        const amount = parseAmount(value);
        if (typeof amount === 'bigint') expect(Number(formatAmount(amount))).toBe(value + 0);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    [150.75, 150_750_000n],
    ['150.75', 150_750_000n],
    [0, 0n],
    [-0, 0n],
    ['0', 0n],
    ['0.000001', 1n],
    [1e-6, 1n],
    ['1.5000000000', 1_500_000n],
    [parseJson('1E2'), 100_000_000n],
    [parseJson('1.0'), 1_000_000n],
    [999_999_999_999, largest],
    ['999999999999', largest],
    ['999999999998.999999', largest - 1n],
  ])('takes %s', (value, micros) => {
    expect(parseAmount(value)).toBe(micros);
  });

  it.each([
    ['12,50', 'amount_format'],
    ['1 000', 'amount_format'],
    ['$5', 'amount_format'],
    ['0x10', 'amount_format'],
    [' 5', 'amount_format'],
    ['5\n', 'amount_format'],
    ['+5', 'amount_format'],
    ['-0', 'amount_format'],
    ['٣', 'amount_format'],
    ['', 'amount_format'],
    ['.5', 'amount_format'],
    ['5.', 'amount_format'],
    ['007', 'amount_format'],
    ['1e2', 'amount_format'],
    ['NaN', 'amount_format'],
    ['Infinity', 'amount_format'],
    [Number.NaN, 'amount_format'],
    [Number.POSITIVE_INFINITY, 'amount_format'],
    [Number.NEGATIVE_INFINITY, 'amount_format'],
    [true, 'amount_format'],
    [null, 'amount_format'],
    [[], 'amount_format'],
    [{}, 'amount_format'],
    [-10, 'amount_negative'],
    [-1e-9, 'amount_negative'],
    ['-10.50', 'amount_negative'],
    [new InexactNumber('-1e400'), 'amount_negative'],
    [0.30000000000000004, 'amount_precision'],
    [0.1 + 0.7, 'amount_precision'],
    ['0.0000001', 'amount_precision'],
    [1e-7, 'amount_precision'],
    [new InexactNumber('1e-400'), 'amount_precision'],
    [1e12, 'amount_range'],
    ['1000000000000', 'amount_range'],
    ['999999999999.000001', 'amount_range'],
    [1e300, 'amount_range'],
    [new InexactNumber('1e400'), 'amount_range'],
    [new InexactNumber('1e999999999'), 'amount_range'],
    [new InexactNumber('1234567890123456789'), 'amount_range'],
    [1234567890.123456, 'amount_digits'],
    [new InexactNumber('999999999998.999999'), 'amount_digits'],
  ])('refuses %j with %s', (value, code) => {
    expect(codeOf(value)).toBe(code);
  });

  it('teaches', () => {
    expect(detailOf(0.30000000000000004)).toBe(
      'amount has 17 decimals, at most 6: round it, then send it as a string',
    );
    expect(detailOf(-10)).toBe(
      'amount is negative: send it as a positive amount, its type makes it count as minus',
    );
    expect(detailOf(1234567890.123456)).toContain('send it as a string');
  });
});

describe('formatAmount', () => {
  it.each([
    [150_750_000n, '150.75'],
    [10_100_000n, '10.1'],
    [0n, '0'],
    [1n, '0.000001'],
    [-1n, '-0.000001'],
    [-3_500_000n, '-3.5'],
    [1_000_000n, '1'],
    [largest, '999999999999'],
    [largest * 10n + 1n, '9999999999990.000001'],
  ])('writes %s as %s', (micros, text) => {
    expect(formatAmount(micros)).toBe(text);
  });
});

describe('amountToNumber', () => {
  it('is the nearest double', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (micros) => {
        expect(amountToNumber(micros)).toBe(Number(formatAmount(micros)));
      }),
    );
    expect(amountToNumber(150_750_000n)).toBe(150.75);
  });
});
