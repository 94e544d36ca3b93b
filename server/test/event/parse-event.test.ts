import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubError } from '../../src/base/errors.ts';
import { canonicalJson, type Json, parseJson } from '../../src/base/json.ts';
import { limits } from '../../src/base/limits.ts';
import { type EventRules, hasSameContent, type NewEvent } from '../../src/event/event.ts';
import { eventToJson, eventToObject } from '../../src/event/event-json.ts';
import { parseEventTypes } from '../../src/event/event-rules.ts';
import { newEventId } from '../../src/event/new-event-id.ts';
import { parseEvent, readEventId } from '../../src/event/parse-event.ts';

const rules: EventRules = {
  eventTypes: parseEventTypes('purchase:+,return:-,refund:-'),
  defaultCurrency: 'XXX',
  maxFutureMs: 24 * 3_600_000,
};
const receivedAt = Date.UTC(2026, 5, 30, 12);
const context = { rules, receivedAt, newId: () => 'made-by-hub' };
const least = { user_id: 'u1', event_type: 'purchase', amount: 150.75 };

const parse = (input: unknown) => parseEvent(input, context);

function refusal(input: unknown): HubError {
  try {
    parse(input);
  } catch (reason) {
    if (reason instanceof HubError) return reason;
    throw reason;
  }
  throw new Error('nothing was refused');
}

/** `pointer code` of each fault. */
function faultsOf(input: unknown): readonly string[] {
  const error = refusal(input);
  expect(error.code).toBe('invalid');
  return error.details.map(({ pointer, code }) => `${pointer} ${code}`);
}

describe('parseEvent', () => {
  it('takes an event with every field', () => {
    const input = parseJson(
      '{"id":"9f1c","user_id":"u1","event_type":"refund","amount":"150.750","currency":"EUR","timestamp":"2026-06-30T10:00:00.1239+02:00","metadata":{"b":1.0,"a":{"toString":[null,true]}}}',
    );
    expect(parse(input)).toEqual({
      id: '9f1c',
      userId: 'u1',
      eventType: 'refund',
      amount: 150_750_000n,
      currency: 'EUR',
      timestamp: Date.UTC(2026, 5, 30, 8, 0, 0, 123),
      receivedAt,
      metadata: '{"a":{"toString":[null,true]},"b":1}',
      idMadeByHub: false,
    });
  });

  it('fills in what is absent, null or undefined', () => {
    const filledIn = {
      id: 'made-by-hub',
      userId: 'u1',
      eventType: 'purchase',
      amount: 150_750_000n,
      currency: 'XXX',
      timestamp: receivedAt,
      receivedAt,
      metadata: undefined,
      idMadeByHub: true,
    };
    const nothing = (value: null | undefined) => ({
      ...least,
      id: value,
      currency: value,
      timestamp: value,
      metadata: value,
      position: undefined,
    });
    expect(parse(least)).toEqual(filledIn);
    expect(parse(nothing(null)).metadata).toBeUndefined();
    expect(parse({ ...nothing(undefined) })).toEqual(filledIn);
    expect(parse({ ...nothing(null), position: undefined })).toEqual(filledIn);
  });

  it('takes objects of any prototype', () => {
    expect(parse(Object.assign(Object.create(null), least)).userId).toBe('u1');
    expect(parse(Object.assign(Object.create({ colour: 'red' }), least)).userId).toBe('u1');
  });

  it.each([null, 5, 'x', true, [], [least], undefined, parseJson('1e400')])(
    'refuses %j, which is no object',
    (input) => {
      expect(faultsOf(input)).toEqual([' expected_object']);
    },
  );

  it.each([
    [{ user_id: undefined }, '/user_id required'],
    [{ user_id: null }, '/user_id required'],
    [{ user_id: '' }, '/user_id empty'],
    [{ user_id: 7 }, '/user_id expected_string'],
    [{ user_id: { $gt: '' } }, '/user_id expected_string'],
    [{ user_id: 'a\nb' }, '/user_id control_character'],
    [{ user_id: 'a\u0000' }, '/user_id control_character'],
    [{ user_id: '\u007f' }, '/user_id control_character'],
    [{ user_id: '\u0085' }, '/user_id control_character'],
    [{ user_id: '\ud800' }, '/user_id invalid_unicode'],
    [{ user_id: 'a\udc00b' }, '/user_id invalid_unicode'],
    [{ user_id: 'a'.repeat(257) }, '/user_id too_long'],
    [{ user_id: '😀'.repeat(257) }, '/user_id too_long'],
    [{ event_type: undefined }, '/event_type required'],
    [{ event_type: '' }, '/event_type empty'],
    [{ event_type: 'Purchase' }, '/event_type event_type_unknown'],
    [{ event_type: 'purchase ' }, '/event_type event_type_unknown'],
    [{ event_type: 'toString' }, '/event_type event_type_unknown'],
    [{ event_type: ['purchase'] }, '/event_type expected_string'],
    [{ amount: undefined }, '/amount required'],
    [{ amount: null }, '/amount required'],
    [{ amount: true }, '/amount amount_format'],
    [{ amount: [] }, '/amount amount_format'],
    [{ amount: '12,50' }, '/amount amount_format'],
    [{ amount: -10 }, '/amount amount_negative'],
    [{ amount: 1.0000001 }, '/amount amount_precision'],
    [{ amount: 1e12 }, '/amount amount_range'],
    [{ amount: parseJson('1234567890.1234567') }, '/amount amount_precision'],
    [{ amount: 1234567890.123456 }, '/amount amount_digits'],
    [{ id: '' }, '/id empty'],
    [{ id: 5 }, '/id expected_string'],
    [{ id: 'stream' }, '/id id_reserved'],
    [{ id: '-a' }, '/id id_characters'],
    [{ id: 'a b' }, '/id id_characters'],
    [{ id: '../x' }, '/id id_characters'],
    [{ id: '%00' }, '/id id_characters'],
    [{ id: 'é' }, '/id id_characters'],
    [{ id: 'a\n' }, '/id id_characters'],
    [{ id: 'a'.repeat(129) }, '/id too_long'],
    [{ currency: '' }, '/currency empty'],
    [{ currency: 'eur' }, '/currency currency_unknown'],
    [{ currency: 'EU' }, '/currency currency_unknown'],
    [{ currency: '€' }, '/currency currency_unknown'],
    [{ currency: 978 }, '/currency expected_string'],
    [{ timestamp: '' }, '/timestamp empty'],
    [{ timestamp: 1751277600 }, '/timestamp expected_string'],
    [{ timestamp: '2026-06-30T10:00:00' }, '/timestamp offset_required'],
    [{ timestamp: '2026-02-30T10:00:00Z' }, '/timestamp timestamp_format'],
    [{ timestamp: '2026-06-30T23:59:60Z' }, '/timestamp leap_second_unsupported'],
    [{ timestamp: '1999-12-31T23:59:59.999Z' }, '/timestamp timestamp_too_old'],
    [{ timestamp: '2000-01-01T00:00:00+00:01' }, '/timestamp timestamp_too_old'],
    [{ timestamp: '2026-07-01T12:00:00.001Z' }, '/timestamp timestamp_in_future'],
    [{ timestamp: '9999-12-31T00:00:00Z' }, '/timestamp timestamp_in_future'],
    [{ amout: 1 }, '/amout unknown_field'],
    [{ 'a/b~': null }, '/a~1b~0 unknown_field'],
    [{ userId: 'u1' }, '/userId unknown_field'],
    [{ received_at: '2026-06-30T10:00:00Z' }, '/received_at read_only_field'],
    [{ position: null }, '/position read_only_field'],
    [{ metadata: [] }, '/metadata expected_object'],
    [{ metadata: '{}' }, '/metadata expected_object'],
    [{ metadata: parseJson('1e400') }, '/metadata expected_object'],
    [{ metadata: { $where: 1 } }, '/metadata/$where metadata_key'],
    [{ metadata: { a: [{ 'b.c': 1 }] } }, '/metadata/a/0/b.c metadata_key'],
    [{ metadata: { '': 1 } }, '/metadata/ metadata_key'],
    [{ metadata: { _bsontype: 'x' } }, '/metadata/_bsontype metadata_key'],
    [{ metadata: JSON.parse('{"__proto__":1}') }, '/metadata/__proto__ metadata_key'],
    [{ metadata: { 'a\u0000': 1 } }, '/metadata/a\u0000 metadata_key'],
    [{ metadata: { '\ud800': 1 } }, '/metadata/\ufffd metadata_key'],
    [{ metadata: { a: '\u0000' } }, '/metadata/a control_character'],
    [{ metadata: { a: '\udfff' } }, '/metadata/a invalid_unicode'],
    [{ metadata: { a: [0, Number.NaN] } }, '/metadata/a/1 metadata_number'],
    [{ metadata: { a: Number.POSITIVE_INFINITY } }, '/metadata/a metadata_number'],
    [{ metadata: parseJson('{"a":9007199254740993}') }, '/metadata/a metadata_number'],
    [{ metadata: { a: undefined } }, '/metadata/a metadata_value'],
    [{ metadata: { a: 'é'.repeat(8_200) } }, '/metadata metadata_too_large'],
  ])('refuses %j', (change, fault) => {
    expect(faultsOf({ ...least, ...change })).toEqual([fault]);
  });

  it.each([
    [{ user_id: 'a'.repeat(256) }],
    [{ user_id: '😀'.repeat(256) }],
    [{ user_id: '=1+1' }],
    [{ user_id: '\u202e ' }],
    [{ id: 'a' }],
    [{ id: '0.A_z~:-' }],
    [{ id: 'a'.repeat(128) }],
    [{ id: 'streams' }],
    [{ amount: 0 }],
    [{ amount: '999999999999' }],
    [{ currency: 'XXX' }],
    [{ timestamp: '2000-01-01T00:00:00Z' }],
    [{ timestamp: '2026-07-01T12:00:00Z' }],
    [{ metadata: {} }],
    [{ metadata: { hasOwnProperty: 1, 'ключ ': '\u0001\u202e' } }],
    [{ metadata: { ['k'.repeat(128)]: 0.1 } }],
    [{ metadata: { a: 'x'.repeat(limits.metadataBytes - '{"a":""}'.length) } }],
  ])('takes %.80j', (change) => {
    expect(() => parse({ ...least, ...change })).not.toThrow();
  });

  it('counts the levels of metadata, itself the first', () => {
    const nested = (levels: number): Json => (levels === 1 ? {} : { a: nested(levels - 1) });
    expect(() => parse({ ...least, metadata: nested(16) })).not.toThrow();
    const fault = refusal({ ...least, metadata: nested(17) }).details[0];
    expect(fault?.code).toBe('metadata_too_deep');
    expect(fault?.pointer).toBe(`/metadata${'/a'.repeat(16)}`);
    expect(() => parse(parseJson(JSON.stringify([{ ...least, metadata: nested(16) }])))).toThrow();
  });

  it('lists every fault, the first one as the message', () => {
    const error = refusal({
      amount: -1,
      timestamp: '2026-06-30T10:00:00',
      amout: 2,
      currency: 'eur',
    });
    expect(error.details.map(({ pointer }) => pointer)).toEqual([
      '/amout',
      '/user_id',
      '/event_type',
      '/amount',
      '/currency',
      '/timestamp',
    ]);
    expect(error.message).toBe(
      '"amout" is not a field of an event: did you mean amount? (and 5 more)',
    );
  });

  it('names a bounded number of faults, and cuts what it repeats', () => {
    const many = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, index) => [`${index}${'x'.repeat(1_000)}`, 1]),
    );
    const error = refusal({ ...least, ...many });
    expect(error.details).toHaveLength(limits.errorDetails);
    expect(error.message).toMatch(/\(and 4999 more\)$/);
    expect(JSON.stringify(error.details).length).toBeLessThan(10_000);
    expect(refusal({ ...least, event_type: 'x'.repeat(100_000) }).message.length).toBeLessThan(200);
    expect(refusal({ ...least, id: '/'.repeat(100) }).message).toContain('…');
  });

  it.each([
    [
      { timestamp: '2026-06-30T10:00:00' },
      'timestamp has no offset: add "Z" for UTC or an offset such as "+03:00"',
    ],
    [
      { amount: 0.30000000000000004 },
      'amount has 17 decimals, at most 6: round it, then send it as a string',
    ],
    [
      { amount: -10 },
      'amount is negative: send it as a positive amount, its type makes it count as minus',
    ],
    [{ position: 'p' }, 'position is set by the hub; remove it'],
    [
      { event_type: 'chargeback' },
      'event_type "chargeback" is not one of purchase, return, refund',
    ],
    [{ currency: 'eur' }, 'currency "eur" is not a code of ISO 4217: write "EUR"'],
  ])('teaches about %j', (change, message) => {
    expect(refusal({ ...least, ...change }).message).toBe(message);
  });

  it('takes exactly the ids of the contract', () => {
    const id = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 140 }),
      fc.stringMatching(/^[A-Za-z0-9._~:-]{0,140}$/),
    );
    fc.assert(
      fc.property(id, (text) => {
        const isValid = /^[A-Za-z0-9][A-Za-z0-9._~:-]{0,127}$/.test(text) && text !== 'stream';
        expect(readEventId({ id: text })).toBe(isValid ? text : undefined);
        if (isValid)
          expect(parse({ ...least, id: text })).toMatchObject({ id: text, idMadeByHub: false });
        else expect(refusal({ ...least, id: text }).details[0]?.pointer).toBe('/id');
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes exactly the user ids of the contract, unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }), (text) => {
        const isValid = text.isWellFormed() && [...text].length <= 256 && !/\p{Cc}/u.test(text);
        if (isValid) expect(parse({ ...least, user_id: text }).userId).toBe(text);
        else expect(refusal({ ...least, user_id: text }).details[0]?.pointer).toBe('/user_id');
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes back what it gives out, once the hub has left its own fields', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const event = parse(input);
        const { received_at, position, ...out } = eventToObject(event, 'p1');
        const again = parseEvent(out, { ...context, receivedAt: receivedAt + 5 });
        expect([received_at, position]).toEqual([new Date(receivedAt).toISOString(), 'p1']);
        expect(again.id).toBe(event.id);
        expect(again.timestamp).toBe(event.timestamp);
        expect(hasSameContent(event, again)).toBe(true);
      }),
    );
  });
});

describe('eventToJson', () => {
  it('writes the object of eventToObject, fields in their order', () => {
    fc.assert(
      fc.property(anyInput, fc.string(), (input, position) => {
        const event = parse(input);
        const object = eventToObject(event, position);
        const written = JSON.parse(eventToJson(event, position));
        expect(written).toEqual(object);
        expect(Object.keys(written)).toEqual(Object.keys(object));
      }),
    );
  });

  it('writes exact amounts and UTC times', () => {
    const event: NewEvent = parse({
      ...least,
      id: 'e1',
      user_id: 'O\'Neil "é"',
      amount: '10.10',
      timestamp: '2026-06-30T13:00:00+03:00',
      metadata: { b: 1, a: '😀' },
    });
    expect(eventToJson(event, '0-1')).toBe(
      '{"id":"e1","user_id":"O\'Neil \\"é\\"","event_type":"purchase","amount":"10.1","currency":"XXX","timestamp":"2026-06-30T10:00:00.000Z","metadata":{"a":"😀","b":1},"received_at":"2026-06-30T12:00:00.000Z","position":"0-1"}',
    );
  });
});

describe('newEventId', () => {
  it('makes ids of the contract, each once, in the order of time', () => {
    const ids = Array.from({ length: 10_000 }, newEventId);
    expect(new Set(ids).size).toBe(ids.length);
    const times = ids.map((id) => id.slice(0, 13));
    expect(times).toEqual(times.toSorted());
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });
});

const metadataKey = fc
  .stringMatching(/^[^$.\0\ud800-\udfff][^.\0\ud800-\udfff]{0,10}$/u)
  .filter((key) => key !== '__proto__' && key !== '_bsontype');
const metadataText = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
const { metadata: anyMetadata } = fc.letrec<{ metadata: object; value: unknown }>((tie) => ({
  metadata: fc.dictionary(metadataKey, tie('value'), {
    maxKeys: 4,
    noNullPrototype: true,
  }) as fc.Arbitrary<object>,
  value: fc.oneof(
    { maxDepth: 4 },
    metadataText,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('metadata'),
  ),
}));

const anyInput = fc.record(
  {
    id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._~:-]{0,127}$/),
    user_id: fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 50 })
      .filter((text) => !/\p{Cc}/u.test(text)),
    event_type: fc.constantFrom('purchase', 'return', 'refund'),
    amount: fc
      .tuple(fc.stringMatching(/^(0|[1-9][0-9]{0,10})$/), fc.stringMatching(/^(\.[0-9]{1,6})?$/))
      .map((parts) => parts.join('')),
    currency: fc.constantFrom('EUR', 'USD', 'XXX', 'XAU'),
    timestamp: fc
      .integer({ min: Date.UTC(2000, 0, 1), max: receivedAt })
      .map((instant) => new Date(instant).toISOString()),
    metadata: anyMetadata,
  },
  { requiredKeys: ['user_id', 'event_type', 'amount'] },
);

describe('metadata', () => {
  it('is kept as canonical JSON of the same value', () => {
    fc.assert(
      fc.property(anyMetadata, (metadata) => {
        const kept = parse({ ...least, metadata }).metadata ?? '';
        expect(kept).toBe(canonicalJson(metadata as Json));
        expect(JSON.parse(kept)).toEqual(JSON.parse(JSON.stringify(metadata)));
      }),
    );
  });
});
