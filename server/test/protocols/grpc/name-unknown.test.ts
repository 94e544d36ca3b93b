import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameUnknown } from '../../../src/protocols/grpc/name-unknown.ts';

describe('the naming of events whose outcome is unknown', () => {
  it('gives made ids to the inputs without one, in order', () => {
    expect(nameUnknown([{}, { id: 'a' }, {}], ['m1', 'a', 'm2'])).toEqual(['m1', 'a', 'm2']);
  });

  it('leaves out what cannot be told', () => {
    expect(nameUnknown([{}, { id: 'a' }, {}], ['a', 'm2'])).toEqual([undefined, 'a', undefined]);
  });

  it('never gives an input the id of another', () => {
    const input = fc.record({ given: fc.boolean(), valid: fc.boolean() });
    fc.assert(
      fc.property(fc.array(input, { maxLength: 20 }), (inputs) => {
        const ids = inputs.map(({ given }, index) => `${given ? 'given' : 'made'}-${index}`);
        const named = nameUnknown(
          inputs.map(({ given }, index) => (given ? { id: ids[index] } : {})),
          ids.filter((_, index) => inputs[index]?.valid),
        );
        for (const [index, id] of named.entries()) {
          if (id !== undefined) expect(id).toBe(ids[index]);
        }
      }),
    );
  });
});
