import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubError } from '../../src/base/errors.ts';
import {
  canonicalJson,
  decodeUtf8,
  InexactNumber,
  type Json,
  parseJson,
  quoteJson,
} from '../../src/base/json.ts';
import { limits } from '../../src/base/limits.ts';

function refusal(action: () => unknown): HubError {
  try {
    action();
  } catch (reason) {
    if (reason instanceof HubError) return reason;
    throw reason;
  }
  throw new Error('nothing was refused');
}

function codeOf(text: string): string | undefined {
  const error = refusal(() => parseJson(text));
  expect(error.code).toBe('unreadable');
  return error.details[0]?.code;
}

/** JSON whose numbers survive a double, which JSON.parse cannot tell from others. */
const anyJson = fc
  .jsonValue({ maxDepth: 8, noUnicodeString: false })
  .filter((value) => !reachesForPrototype(JSON.stringify(value)));

/** What is refused for its keys comes in tests of its own. */
function reachesForPrototype(text: string): boolean {
  return /"(?:__proto__|prototype)"/.test(text);
}

describe('parseJson', () => {
  it('agrees with JSON.parse on valid texts', () => {
    fc.assert(
      fc.property(anyJson, fc.constantFrom(undefined, 1, '\t', ' \r\n'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('agrees with JSON.parse on whether a mangled text is JSON', () => {
    const mangled = fc
      .tuple(
        anyJson,
        fc.nat(),
        fc.constantFrom('', '"', '\\', '0', '-', '.', 'e', '{', ']', ',', '\n', '\u0001', 'x'),
      )
      .map(([value, seed, insert]) => {
        const text = JSON.stringify(value);
        const at = seed % (text.length + 1);
        return text.slice(0, at) + insert + text.slice(at + (seed % 3));
      });
    fc.assert(
      fc.property(mangled, (text) => {
        let expected: { readonly value: unknown } | undefined;
        try {
          expected = { value: JSON.parse(text) };
        } catch {
          expected = undefined;
        }
        if (expected === undefined) {
          expect(codeOf(text)).toMatch(/^(invalid_json|empty_body|duplicate_key|forbidden_key)$/);
          return;
        }
        try {
          const value = parseJson(text);
          if (!containsInexact(value)) expect(value).toEqual(expected.value);
        } catch (reason) {
          // The only texts that JSON.parse takes and the hub does not.
          expect(HubError.from(reason).details[0]?.code).toMatch(/^(duplicate|forbidden)_key$/);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    '{"a":1,}',
    '[1,]',
    '{} {}',
    '{}{}',
    "{'a':1}",
    '{a:1}',
    '01',
    '-01',
    '+1',
    '.5',
    '1.',
    '1.e5',
    '1e',
    '1e+',
    '-',
    'NaN',
    'Infinity',
    '-Infinity',
    'tru',
    'nul',
    '// c\n1',
    '"a',
    '"\\x"',
    '"\\u12"',
    '"\\',
    '"\n"',
    '"\t"',
    '{"a"',
    '{"a":',
    '{"a":1',
    '[',
    '[1 2]',
    '\u00a01',
    '\ufeff{}',
  ])('refuses %j', (text) => {
    expect(codeOf(text)).toBe('invalid_json');
  });

  it.each(['', ' ', '\r\n\t'])('names the empty body %j', (text) => {
    expect(codeOf(text)).toBe('empty_body');
  });

  it('says where it stumbled', () => {
    expect(refusal(() => parseJson('{"a": nope}')).message).toBe(
      'found "n" at character 6, expected a JSON value',
    );
  });

  it('refuses a key that comes twice, with its pointer', () => {
    const error = refusal(() => parseJson('{"a":[0,{"b/c":1,"d":{"x":1},"b/c":2}]}'));
    expect(error.details).toEqual([
      {
        pointer: '/a/1/b~1c',
        code: 'duplicate_key',
        detail: 'the key "b/c" is there twice: keep one',
      },
    ]);
    expect(codeOf('{"amount":1,"amount":100}')).toBe('duplicate_key');
    expect(codeOf('{"a":null,"\\u0061":null}')).toBe('duplicate_key');
  });

  it('refuses any repeated key of any object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anyJson, { minKeys: 1 }), fc.nat(), (object, seed) => {
        const members = Object.entries(object)
          .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
          .filter((member) => !reachesForPrototype(member));
        fc.pre(members.length > 0);
        const again = members[seed % members.length];
        expect(codeOf(`{${members.join(',')},${again}}`)).toBe('duplicate_key');
      }),
    );
  });

  it('refuses keys that reach for prototypes, and leaves Object.prototype alone', () => {
    expect(codeOf('{"__proto__":{"polluted":1}}')).toBe('forbidden_key');
    expect(codeOf('{"\\u005f_proto__":1}')).toBe('forbidden_key');
    expect(codeOf('{"a":{"constructor":{"prototype":{"polluted":1}}}}')).toBe('forbidden_key');
    expect(refusal(() => parseJson('{"a":{"__proto__":1}}')).details[0]?.pointer).toBe(
      '/a/__proto__',
    );
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('takes the names of inherited members for data', () => {
    const text = '{"toString":1,"hasOwnProperty":2,"constructor":"x","valueOf":null}';
    expect(JSON.stringify(parseJson(text))).toBe(text);
    const empty = parseJson('{}') as { readonly [key: string]: Json };
    expect(empty.toString).toBeUndefined();
  });

  it.each([
    '9007199254740993',
    '1e400',
    '-1e400',
    '1e-400',
    '0.1000000000000000055511151231257827',
  ])('keeps the text of %s, which a double changes', (source) => {
    expect(parseJson(`[${source}]`)).toEqual([new InexactNumber(source)]);
  });

  it.each([
    ['1.0', 1],
    ['1.50', 1.5],
    ['1E2', 100],
    ['1e-7', 1e-7],
    ['-0', -0],
    ['0.0', 0],
    ['0e99999', 0],
    ['100000000000000000000', 1e20],
    ['0.30000000000000004', 0.30000000000000004],
    ['9007199254740992', 2 ** 53],
    ['123456789012345', 123456789012345],
    ['0.00000000000000000001', 1e-20],
    ['5e-324', 5e-324],
    ['1.7976931348623157e308', Number.MAX_VALUE],
  ])('reads %s as an exact number', (source, value) => {
    expect(parseJson(source)).toBe(value);
  });

  it('tells exact numbers from others as a comparison of decimals does', () => {
    const source = fc
      .tuple(
        fc.stringMatching(/^-?(0|[1-9][0-9]{0,20})$/),
        fc.stringMatching(/^(\.[0-9]{1,20})?$/),
        fc.stringMatching(/^([eE][+-]?[0-9]{1,2})?$/),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(source, (text) => {
        const exact = sameDecimal(text, String(Number(text)));
        expect(parseJson(text)).toEqual(exact ? Number(text) : new InexactNumber(text));
      }),
      { numRuns: 5_000 },
    );
  });

  it('keeps every character of a string, lone surrogates too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseJson(JSON.stringify(text))).toBe(text);
      }),
    );
    expect(parseJson('"\\ud800"')).toBe('\ud800');
  });

  it('counts the levels', () => {
    const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    expect(() => parseJson(nested(limits.jsonDepth))).not.toThrow();
    expect(codeOf(nested(limits.jsonDepth + 1))).toBe('too_deep');
    expect(codeOf('['.repeat(100_000))).toBe('too_deep');
    expect(codeOf('{"a":'.repeat(100_000))).toBe('too_deep');
    expect(parseJson('[[[]]]', { depth: 3, keys: 1 })).toEqual([[[]]]);
  });

  it('counts the keys and elements, anew for each element of a batch', () => {
    const caps = { depth: 4, keys: 3 };
    const keys = (count: number) =>
      `{${Array.from({ length: count }, (_, index) => `"${index}":0`).join(',')}}`;
    expect(() => parseJson(keys(3), caps)).not.toThrow();
    expect(() => parseJson(`[${keys(3)},${keys(3)}]`, caps)).not.toThrow();
    expect(refusal(() => parseJson(keys(4), caps)).details[0]?.code).toBe('too_many_keys');
    expect(codeOf(keys(100_000))).toBe('too_many_keys');
    expect(codeOf(`{"a":[${'1,'.repeat(100_000)}1]}`)).toBe('too_many_keys');
    expect(() => parseJson(`[${'1,'.repeat(100_000)}1]`)).not.toThrow();
  });
});

describe('decodeUtf8', () => {
  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeUtf8(new TextEncoder().encode(text))).toBe(text);
      }),
    );
  });

  it.each([[[0x22, 0xff, 0x22]], [[0xed, 0xa0, 0x80]], [[0xc0, 0xaf]], [[0xe2, 0x82]]])(
    'refuses the bytes %j',
    (bytes) => {
      const error = refusal(() => decodeUtf8(Uint8Array.from(bytes)));
      expect([error.code, error.details[0]?.code]).toEqual(['unreadable', 'invalid_utf8']);
    },
  );

  it('refuses a byte order mark', () => {
    const error = refusal(() => decodeUtf8(Uint8Array.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d])));
    expect([error.code, error.details[0]?.code]).toEqual(['unreadable', 'byte_order_mark']);
  });
});

describe('canonicalJson', () => {
  it('sorts the keys at every level and writes no blanks', () => {
    expect(canonicalJson({ b: [{ z: 1, y: -0 }], a: { 2: 'é"', 10: null } })).toBe(
      '{"a":{"10":null,"2":"é\\""},"b":[{"y":0,"z":1}]}',
    );
  });

  it('reads back as the same value, and stays the same when written again', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        const text = canonicalJson(value as Json);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anyJson), (object) => {
        const turned = Object.fromEntries(Object.entries(object).reverse());
        expect(canonicalJson(turned as Json)).toBe(canonicalJson(object as Json));
      }),
    );
  });
});

describe('quoteJson', () => {
  it('writes what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(quoteJson(text)).toBe(JSON.stringify(text));
      }),
    );
  });
});

function containsInexact(value: Json): boolean {
  if (value instanceof InexactNumber) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(containsInexact);
}

/** Compares two decimal texts as fractions of big integers. */
function sameDecimal(left: string, right: string): boolean {
  if (!/^-?[0-9.eE+-]+$/.test(right)) return false;
  const [a, b] = [scaled(left), scaled(right)];
  const shift = a.exponent - b.exponent;
  return shift >= 0
    ? a.digits * 10n ** BigInt(shift) === b.digits
    : a.digits === b.digits * 10n ** BigInt(-shift);
}

function scaled(text: string): { digits: bigint; exponent: number } {
  const [mantissa = '', power = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}
