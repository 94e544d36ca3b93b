import { describe, expect, it } from 'vitest';
import { currencies } from '../../src/event/currencies.ts';
import { formatEventTypes, parseEventTypes } from '../../src/event/event-rules.ts';

describe('parseEventTypes', () => {
  it('reads names and signs in their order', () => {
    expect([...parseEventTypes('purchase:+, return:-,refund')]).toEqual([
      ['purchase', '+'],
      ['return', '-'],
      ['refund', ''],
    ]);
  });

  it.each([
    ['', '"" is not a type name'],
    ['purchase:+,', '"" is not a type name'],
    ['1st', '"1st" is not a type name'],
    ['a b', '"a b" is not a type name'],
    ['x'.repeat(65), 'is not a type name'],
    ['purchase:', 'write purchase:+, purchase:-, or purchase'],
    ['purchase:*', 'write purchase:+, purchase:-, or purchase'],
    ['purchase:+:-', 'write purchase:+, purchase:-, or purchase'],
    ['a:+,a:-', '"a" is there twice'],
    [Array.from({ length: 101 }, (_, index) => `t${index}`).join(), 'at most 100'],
  ])('refuses %.40j', (text, message) => {
    expect(() => parseEventTypes(text)).toThrow(message);
  });
});

describe('formatEventTypes', () => {
  it('writes what parseEventTypes reads', () => {
    const text = 'purchase:+,return:-,note,refund_2.x-y:-';
    expect(formatEventTypes(parseEventTypes(text))).toBe(text);
  });
});

describe('currencies', () => {
  it('are the active codes of ISO 4217', () => {
    for (const code of ['EUR', 'USD', 'JPY', 'XXX', 'XAU', 'XTS', 'CHE', 'UYW', 'SLE', 'XCG']) {
      expect(currencies.has(code)).toBe(true);
    }
    for (const code of ['eur', 'EU', 'DEM', 'ZWL', 'HRK', '', 'EURO']) {
      expect(currencies.has(code)).toBe(false);
    }
    expect([...currencies]).toEqual([...currencies].toSorted());
    expect([...currencies].every((code) => /^[A-Z]{3}$/.test(code))).toBe(true);
    expect(currencies.size).toBe(181);
  });
});
