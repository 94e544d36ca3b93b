import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubError } from '../../../src/base/errors.ts';
import { canonicalJson, type Json } from '../../../src/base/json.ts';
import { loadContracts } from '../../../src/protocols/grpc/contracts.ts';
import type { Struct } from '../../../src/protocols/grpc/messages.ts';
import { structFromText, structToJson } from '../../../src/protocols/grpc/struct.ts';

describe('a Struct', () => {
  it('brings any JSON object back as it was', () => {
    const type = loadContracts().type<Struct>('google.protobuf.Struct');
    const json = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 6 }));
    fc.assert(
      fc.property(json, (object) => {
        const text = canonicalJson(JSON.parse(JSON.stringify(object)) as Json);
        const decoded = type.decode(type.encode(structFromText(text)));
        if (decoded instanceof HubError) throw decoded;
        expect(canonicalJson(structToJson(decoded))).toBe(text);
      }),
    );
  });
});
