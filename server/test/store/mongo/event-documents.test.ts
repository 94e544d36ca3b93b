import fc from 'fast-check';
import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json } from '../../../src/base/json.ts';
import type { Position } from '../../../src/log/event-log.ts';
import type { EventDocument } from '../../../src/store/mongo/collections.ts';
import { entryOf, toDocument } from '../../../src/store/mongo/event-documents.ts';
import { anEvent } from '../../support/build-event.ts';

const position = '0000000000000001' as Position;

/** What the driver would read after it wrote this. */
function stored(metadata: string | undefined): EventDocument {
  const document = toDocument({ shard: '0', position, event: anEvent({ metadata }) });
  return BSON.deserialize(BSON.serialize(document)) as EventDocument;
}

function comesBack(metadata: string): void {
  expect(entryOf(stored(metadata)).event.metadata).toBe(metadata);
}

describe('an event as a document', () => {
  it('has the same fields when it comes back', () => {
    const { idMadeByHub, ...event } = anEvent({ metadata: '{"a":[1,{"b":null}]}' });
    expect(idMadeByHub).toBe(false);
    const document = toDocument({ shard: '0', position, event });
    expect(entryOf(BSON.deserialize(BSON.serialize(document)) as EventDocument)).toEqual({
      shard: '0',
      position,
      event,
    });
    expect(stored(undefined)).not.toHaveProperty('metadata');
  });

  it('keeps any metadata to the letter', () => {
    const object = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue());
    fc.assert(
      fc.property(object, (value) => {
        comesBack(canonicalJson(JSON.parse(JSON.stringify(value)) as Json));
      }),
      { numRuns: 500 },
    );
  });

  it('is text where a document would not say the same to everybody', () => {
    const awkward = '{"a":{"$id":1,"$ref":"x"}}';
    expect(stored(awkward)).toMatchObject({ metadata_json: awkward });
    expect(stored('{"b":1,"a":2}')).toMatchObject({ metadata_json: '{"b":1,"a":2}' });
  });

  it('keeps metadata as a document that can be queried', () => {
    expect(stored('{"order":{"items":3,"paid":true}}').metadata).toEqual({
      order: { items: 3, paid: true },
    });
  });

  it.each([
    '{"1":"b","10":"a","2":"c"}',
    '{"n":[0,1,-1,0.1,2147483648,-2147483649,9007199254740991,1e+21,5e-324,1.7976931348623157e+308]}',
    '{"toBSON":"x","toJSON":1,"constructor":{"prototype":null}}',
    '{"a":{"$id":1,"$ref":"x"}}',
    '{"a":{"_bsontype":"Long","high":0,"low":1}}',
    '{"":"empty"}',
    '{"text":"\\u0000 \\ud83d\\ude00"}',
  ])('keeps %s', (metadata) => {
    comesBack(canonicalJson(JSON.parse(metadata) as Json));
  });
});
