import type { Answer, EventRow } from './rows.ts';

/** 67 to 69, 75 and 76: ids, users and types. */
export const idRows: readonly EventRow[] = [
  // The hub makes an id where there is none.
  { n: 67, is: 'no id', fields: { id: null }, answer: {} },
  { n: 67, is: 'the id null', fields: { id: 'null' }, answer: {} },
  id(67, '', idRefusal('empty')),
  id(67, ' ', idRefusal('id_characters')),
  { n: 67, is: 'a number as id', fields: { id: '5' }, answer: idRefusal('expected_string') },
  { n: 67, is: 'no user', fields: { user_id: null }, answer: userRefusal('required') },
  { n: 67, is: 'the user null', fields: { user_id: 'null' }, answer: userRefusal('required') },
  // A plain protobuf text that is empty is one that was not set.
  { ...user(67, '', userRefusal('empty')), grpc: userRefusal('required') },
  user(67, ' ', { user_id: ' ' }),
  id(68, 'a'.repeat(128), {}),
  id(68, 'a'.repeat(129), idRefusal('too_long')),
  user(68, '\u{1f600}'.repeat(256), { user_id: '\u{1f600}'.repeat(256) }),
  user(68, 'ü'.repeat(257), userRefusal('too_long')),
  ...['a:b', 'a.b', 'A_~-9', '0', 'a..b', 'streams', 'Stream'].map((text) => id(69, text, {})),
  ...[
    '../x',
    '.a',
    '-a',
    '_a',
    '{t}',
    '$where',
    '%00',
    'a%20b',
    'a/b',
    'a"b',
    "a'b",
    'a b',
    '🙂',
  ].map((text) => id(69, text, idRefusal('id_characters'))),
  { ...id(69, 'stream', idRefusal('id_reserved')), says: 'reserved' },
  ...["$where' or 1=1 --", '../../etc', '<script>', '{"$gt":""}', 'a:b', 'user@example.com'].map(
    (text) => user(69, text, { user_id: text }),
  ),
  ...['Purchase', 'PURCHASE ', 'purchase ', 'chargeback', 'purch\u0430se'].map((text) => ({
    ...type(JSON.stringify(text), typeRefusal('event_type_unknown')),
    says: 'is not one of purchase, return, refund',
  })),
  // A plain protobuf text that is empty is one that was not set.
  { ...type('""', typeRefusal('empty')), grpc: typeRefusal('required') },
  type('null', typeRefusal('required')),
  type('["purchase"]', typeRefusal('expected_string')),
  ...['id', 'user_id', 'event_type', 'currency', 'timestamp'].map((name) => ({
    n: 76,
    is: `an operator as ${name}`,
    fields: { [name]: '{"$gt":""}' },
    answer: ['invalid', `/${name}`, 'expected_string'] as const,
  })),
  ...[
    ['{"$gt":""}', '/metadata/$gt'],
    ['{"a":{"b":[{"$where":"1"}]}}', '/metadata/a/b/0/$where'],
    ['{"_bsontype":"ObjectId"}', '/metadata/_bsontype'],
    ['{"a.b":1}', '/metadata/a/b'],
    ['{"":1}', '/metadata/'],
  ].map(([text = '', pointer = '']) => ({
    n: 76,
    is: `the metadata ${text}`,
    fields: { metadata: text },
    answer: ['invalid', pointer, 'metadata_key'] as const,
  })),
  ...['5', '"x"', '[]', '[{}]', 'true'].map((text) => ({
    n: 76,
    is: `the metadata ${text}`,
    fields: { metadata: text },
    answer: ['invalid', '/metadata', 'expected_object'] as const,
  })),
];

function id(n: number, text: string, answer: Answer): EventRow {
  return { n, is: `the id ${shown(text)}`, fields: { id: JSON.stringify(text) }, answer };
}

function user(n: number, text: string, answer: Answer): EventRow {
  return { n, is: `the user ${shown(text)}`, fields: { user_id: JSON.stringify(text) }, answer };
}

function type(text: string, answer: Answer): EventRow {
  return { n: 75, is: `the type ${text}`, fields: { event_type: text }, answer };
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 10)}… (${text.length})` : text);
}

function idRefusal(fault: string): Answer {
  return ['invalid', '/id', fault];
}

function userRefusal(fault: string): Answer {
  return ['invalid', '/user_id', fault];
}

function typeRefusal(fault: string): Answer {
  return ['invalid', '/event_type', fault];
}
