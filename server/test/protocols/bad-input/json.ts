import { limits } from '../../../src/base/limits.ts';
import { struct } from '../grpc/grpc-client.ts';
import { field } from '../grpc/raw-call.ts';
import { type Answer, type EventRow, eventText, type Refusal } from './rows.ts';

const plainMessage = { id: '$ID', user_id: 'u1', event_type: 'purchase', amount: 1 };

/** 22 to 39: what an event's JSON can hold. A body that is no JSON at all is in `http-bodies.ts`. */
export const jsonRows: readonly EventRow[] = [
  // GraphQL's schema wants an input object, before the hub sees it.
  ...['null', '5', '"x"', 'true'].map((event) => ({
    n: 22,
    is: `the event ${event}`,
    event,
    answer: ['invalid', '', 'expected_object'] as const,
    graphql: ['invalid'] as const,
  })),
  ...['', '{"id":"$ID"', '{"id":"$ID","amount":', '{"id', '{"a":"\\u00'].map((event) =>
    unreadable(23, event, event === '' ? [] : undefined),
  ),
  ...['{}{}', `${eventText()} x`, `${eventText()},`, `${eventText()}]`].map((event) =>
    unreadable(24, event),
  ),
  ...[
    eventText().replace('}', ',}'),
    `${eventText()}//`,
    `/**/${eventText()}`,
    "{'id':'$ID'}",
    '{id:"$ID"}',
    ...['01', '+1', '.5', '1.', '0x1', '1_000', '１', 'undefined'].map((amount) =>
      eventText({ amount }),
    ),
    eventText({ user_id: '"a\tb"' }),
    eventText({ user_id: '"a\\xb"' }),
  ].map((event) => unreadable(25, event)),
  { ...unknown('amout', 'unknown_field'), says: 'did you mean amount?' },
  unknown('toString', 'unknown_field'),
  unknown('Amount', 'unknown_field'),
  { ...unknown('received_at', 'read_only_field'), says: 'set by the hub; remove it' },
  unknown('position', 'read_only_field'),
  ...['"amount":1', '"amount":100', '"\\u0061mount":100'].map((again) => ({
    n: 27,
    is: `the key again: ${again}`,
    event: eventText().replace('}', `,${again}}`),
    answer: ['unreadable', '/amount', 'duplicate_key'] as const,
    graphql: ['unreadable', '/variables/input/amount', 'duplicate_key'] as const,
  })),
  {
    n: 27,
    is: 'a key of metadata twice',
    fields: { metadata: '{"a":{"b":1,"b":1}}' },
    answer: ['unreadable', '/metadata/a/b', 'duplicate_key'],
    graphql: ['unreadable', '/variables/input/metadata/a/b', 'duplicate_key'],
    asMessage: false,
  },
  ...['{"__proto__":{"polluted":true}}', '{"a":{"__proto__":1}}'].map((metadata) => ({
    ...prototype(
      metadata,
      metadata.startsWith('{"a"') ? '/metadata/a/__proto__' : '/metadata/__proto__',
    ),
    // A Struct can hold the key, and the event's rules refuse it.
    asMessage: { ...plainMessage, metadata: struct(JSON.parse(metadata)) },
    grpc: [
      'invalid',
      metadata.startsWith('{"a"') ? '/metadata/a/__proto__' : '/metadata/__proto__',
      'metadata_key',
    ] as Refusal,
  })),
  {
    ...prototype('{"constructor":{"prototype":{"polluted":true}}}', '/metadata/constructor'),
    // Nothing is reached by a Struct's keys, which are data there.
    grpc: { metadata: { constructor: { prototype: { polluted: true } } } },
  },
  {
    n: 28,
    is: '__proto__ in the event',
    event: eventText({ __proto__x: '1' }).replace('__proto__x', '__proto__'),
    answer: ['unreadable', '/__proto__', 'forbidden_key'],
    graphql: ['unreadable', '/variables/input/__proto__', 'forbidden_key'],
  },
  ...['{"toString":1,"hasOwnProperty":"x","valueOf":null}', '{"constructor":{"a":1}}'].map((text) =>
    metadata(29, text, { metadata: JSON.parse(text) }),
  ),
  ...[
    ['user_id', 'invalid_unicode'],
    ['id', 'id_characters'],
    ['event_type', 'event_type_unknown'],
    ['currency', 'currency_unknown'],
    ['timestamp', 'timestamp_format'],
    ['amount', 'amount_format'],
  ].map(([name = '', fault = '']) => surrogate({ [name]: '"\\ud800"' }, `/${name}`, fault)),
  surrogate({ metadata: '{"a":["x\\udfffy"]}' }, '/metadata/a/0', 'invalid_unicode'),
  surrogate({ metadata: '{"\\ud800":1}' }, '/metadata/\ufffd', 'metadata_key'),
  {
    n: 30,
    is: 'a whole surrogate pair',
    fields: { user_id: '"\\ud83d\\ude00"' },
    answer: { user_id: '\u{1f600}' },
  },
  ...[
    ['id', 'id_characters'],
    ['user_id', 'control_character'],
    ['event_type', 'event_type_unknown'],
    ['currency', 'currency_unknown'],
    ['timestamp', 'timestamp_format'],
  ].flatMap(([name = '', fault = '']) =>
    ['\\u0000', 'a\\u0000b', 'a\\u001fb', 'a\\u007fb', 'a\\u0085b'].map((text) => ({
      n: 31,
      is: `${name} "${text}"`,
      fields: { [name]: `"${text}"` },
      answer: ['invalid', `/${name}`, fault] as Refusal,
    })),
  ),
  metadata(31, '{"a":"x\\u0000y"}', ['invalid', '/metadata/a', 'control_character']),
  metadata(31, '{"a\\u0000":1}', ['invalid', '/metadata/a\0', 'metadata_key']),
  metadata(31, '{"a":"\\u0001\\u001b\\u007f","\\u0002":1}', {
    metadata: { a: '\u0001\u001b\u007f', '\u0002': 1 },
  }),
  ...[[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]].map(
    (bytes) => ({
      n: 32,
      is: `the bytes ${Buffer.from(bytes).toString('hex')} in a text`,
      event: withBytes(bytes),
      answer: ['unreadable', '', 'invalid_utf8'] as const,
      asMessage: Buffer.concat([field(1, Buffer.from(bytes)), field(2, 'purchase'), field(7, '1')]),
      // A message has one text at a time, and its bytes name no field.
      grpc: ['unreadable'] as const,
    }),
  ),
  // Nothing is normalised: these are four users.
  ...['é', 'e\u0301', 'ﬁ', 'fi', 'a\u200bb', '\u202eabc', 'ſ', 'İ'].map((text) => ({
    n: 35,
    is: `the user ${escaped(text)}`,
    fields: { user_id: JSON.stringify(text) },
    answer: { user_id: text },
  })),
  ...['é', 'a\u200bb', '\u202eabc', 'a\ufeff', 'аbc'].map((text) => ({
    n: 35,
    is: `the id ${escaped(text)}`,
    fields: { id: JSON.stringify(text) },
    answer: ['invalid', '/id', 'id_characters'] as const,
  })),
  metadata(37, longMetadata(limits.metadataBytes), {
    metadata: JSON.parse(longMetadata(limits.metadataBytes)),
  }),
  ...[limits.metadataBytes + 1, 64 * 1024 + 1].map((bytes) =>
    metadata(37, longMetadata(bytes), ['invalid', '/metadata', 'metadata_too_large']),
  ),
  metadata(38, nested(limits.metadataDepth), {
    metadata: JSON.parse(nested(limits.metadataDepth)),
  }),
  metadata(38, nested(limits.metadataDepth + 1), ['invalid', deepPointer(), 'metadata_too_deep']),
  {
    ...metadata(38, nested(40), ['unreadable', '', 'too_deep']),
    // A Struct of 40 levels can be read.
    grpc: ['invalid', deepPointer(), 'metadata_too_deep'],
  },
  ...['['.repeat(100_000), `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`].map((text) => ({
    ...metadata(38, text, ['unreadable', '', 'too_deep']),
    asMessage: false as const,
  })),
  ...[(index: number) => `k${index}`, (index: number) => `${index * 65_536}`].map((key) => ({
    ...metadata(39, manyKeys(key), ['unreadable', '', 'too_many_keys']),
    // A message has no count of its own: its metadata is too long.
    grpc: ['invalid', '/metadata', 'metadata_too_large'] as const,
  })),
];

function unreadable(
  n: number,
  event: string,
  fault: readonly string[] = ['', 'invalid_json'],
): EventRow {
  return {
    n,
    is: event.slice(0, 60),
    event,
    answer: ['unreadable', ...fault] as unknown as Refusal,
    graphql: ['unreadable', '', 'invalid_json'],
  };
}

function unknown(name: string, fault: string): EventRow {
  return {
    n: 26,
    is: `the field ${name}`,
    fields: { [name]: '"1"' },
    answer: ['invalid', `/${name}`, fault],
    // GraphQL's own words for it.
    literal: false,
    graphql: ['invalid'],
  };
}

function prototype(text: string, pointer: string): EventRow {
  return {
    n: 28,
    is: text,
    fields: { metadata: text },
    answer: ['unreadable', pointer, 'forbidden_key'],
    graphql: ['unreadable', `/variables/input${pointer}`, 'forbidden_key'],
  };
}

function metadata(n: number, text: string, answer: Answer): EventRow {
  return {
    n,
    is: `the metadata ${text.slice(0, 40)} (${text.length})`,
    fields: { metadata: text },
    answer,
  };
}

/** Protobuf's texts are UTF-8, which has no surrogates; GraphQL's own reader refuses the escape in a query. */
function surrogate(fields: Record<string, string>, pointer: string, fault: string): EventRow {
  return {
    n: 30,
    is: JSON.stringify(fields),
    fields,
    answer: ['invalid', pointer, fault],
    literal: ['unreadable'],
    asMessage: false,
  };
}

function escaped(text: string): string {
  return JSON.stringify(text).replace(
    /[^ -~]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function withBytes(bytes: readonly number[]): Buffer {
  const [before = '', after = ''] = eventText({ user_id: '"|"' })
    .replace('$ID', 'not-utf8')
    .split('|');
  return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
}

function longMetadata(bytes: number): string {
  return `{"a":"${'x'.repeat(bytes - '{"a":""}'.length)}"}`;
}

function nested(levels: number): string {
  return `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;
}

function deepPointer(): string {
  return `/metadata${'/a'.repeat(limits.metadataDepth)}`;
}

function manyKeys(key: (index: number) => string): string {
  return `{${Array.from({ length: 30_000 }, (_, index) => `"${key(index)}":1`).join(',')}}`;
}
