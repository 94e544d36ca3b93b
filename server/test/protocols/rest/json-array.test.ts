import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementsOf } from '../../../src/protocols/rest/json-array.ts';
import { linesOf } from '../../../src/protocols/rest/lines.ts';

describe('elements of a JSON array', () => {
  it('are what JSON.parse finds, for any array however indented', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 8 }), fc.nat(3), (array, indent) => {
        const text = ` ${JSON.stringify(array, undefined, indent)}\n`;
        const found = [...elementsOf(text)].map((element) => JSON.parse(element));
        expect(found).toEqual(JSON.parse(text));
      }),
    );
  });

  it('of any text that starts an array either make JSON or are refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'[]{},:"\\ 1a') }), (rest) => {
        const text = `[${rest}`;
        const parsed = attempt(() => JSON.parse(text));
        const found = attempt(() => [...elementsOf(text)].map((each) => JSON.parse(each)));
        expect(found).toEqual(parsed);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('lines of a body', () => {
  it('are the same from text and from bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab \t\r\n') }), (text) => {
        const whole = text.split('\n').map((line) => line.replace(/\r$/, ''));
        const expected = whole.filter((line) => /[^ \t]/.test(line));
        const fromText = [...linesOf(Buffer.from(text))].map(String);
        const odd = Buffer.concat([Buffer.from(`${text}\n`), Buffer.from([0xff])]);
        const fromBytes = [...linesOf(odd)].slice(0, -1).map(String);
        expect(fromBytes).toEqual(fromText);
        expect(fromText).toEqual(expected);
      }),
    );
  });
});

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return 'refused';
  }
}
