import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { getOperation, graphqlType, post, run, sendEvent } from './graphql-calls.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(async () => {
  const { data } = await run(hub.url, '{ lastEvents { id } }');
  expect(data.lastEvents, 'nothing of all this is stored').toEqual([]);
  await hub.remove();
});

const query = (text: string, more = '') => `{"query":${JSON.stringify(text)}${more}}`;

describe('a body', () => {
  it.each<[string, string | Uint8Array<ArrayBuffer>, string]>([
    ['nothing', '', 'unreadable'],
    ['broken JSON', '{"query":', 'unreadable'],
    ['two values', '{}{}', 'unreadable'],
    ['a byte order mark', '\uFEFF{}', 'unreadable'],
    ['bytes that are no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'unreadable'],
    ['a key twice', '{"query":"{ a }","query":"{ b }"}', 'unreadable'],
    ['a key for prototypes', '{"__proto__":{},"query":"{ a }"}', 'unreadable'],
    [
      'many levels',
      `{"query":"{ a }","variables":${'['.repeat(99)}${']'.repeat(99)}}`,
      'unreadable',
    ],
    ['a list of operations', `[${query('{ __typename }')}]`, 'invalid'],
    ['a string', '"{ __typename }"', 'invalid'],
    ['null', 'null', 'invalid'],
    ['no query', '{}', 'invalid'],
    ['a query that is a number', '{"query":1}', 'invalid'],
    ['a blank query', query('  '), 'unreadable'],
    ['an unknown member', query('{ __typename }', ',"querry":1'), 'invalid'],
    ['variables that are a list', query('{ __typename }', ',"variables":[]'), 'invalid'],
    [
      'an operation name that is a number',
      query('{ __typename }', ',"operationName":1'),
      'invalid',
    ],
    ['extensions that are text', query('{ __typename }', ',"extensions":"a"'), 'invalid'],
  ])('of %s is refused with 400', async (_, body, code) => {
    const { status, errors, data } = await post(hub.url, body);
    expect(status).toBe(400);
    expect(errors[0]?.extensions.code).toBe(code);
    expect(data).toBe(undefined);
    expect((await post(hub.url, body, { accept: 'application/json' })).status).toBe(400);
  });

  it.each([
    '',
    'text/plain',
    'application/jsonx',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=a',
    'application/graphql',
  ])(
    'with the media type "%s" is refused, so that no form of another site can send it',
    async (type) => {
      const body = Buffer.from(
        query('mutation { sendEvent(input:{userId:"u",eventType:"purchase",amount:1}) { id } }'),
      );
      const headers = type === '' ? {} : { 'content-type': type };
      const response = await fetch(`${hub.url}/graphql`, { method: 'POST', headers, body });
      expect(response.status).toBe(415);
      const { errors } = (await response.json()) as {
        errors: { message: string; extensions: object }[];
      };
      expect(errors[0]?.extensions).toMatchObject({ code: 'unsupported_media_type' });
      expect(errors[0]?.message).toContain('Content-Type: application/json');
    },
  );

  it('beyond 8 MiB is refused', async () => {
    const { status, errors } = await post(hub.url, ' '.repeat(8 * 1024 * 1024 + 1));
    expect(status).toBe(413);
    expect(errors[0]?.extensions.code).toBe('too_large');
  });
});

describe('an operation', () => {
  const deep = (levels: number) => `{ ${'a { '.repeat(levels)} b ${'}'.repeat(levels)} }`;
  it.each([
    ['a syntax error', '{ lastEvents ', 'unreadable'],
    ['more tokens than 2,000', `{ ${'a '.repeat(2_001)} }`, 'unreadable'],
    ['an unknown field', '{ nope }', 'invalid'],
    ['a limit as text', '{ lastEvents(limit: "10") { id } }', 'invalid'],
    ['a limit with decimals', '{ lastEvents(limit: 1.5) { id } }', 'invalid'],
    ['a limit beyond Int', '{ lastEvents(limit: 2147483648) { id } }', 'invalid'],
    ['a limit of 0', '{ lastEvents(limit: 0) { id } }', 'invalid'],
    ['a negative limit', '{ lastEvents(limit: -1) { id } }', 'invalid'],
    ['a limit of a billion', '{ lastEvents(limit: 1000000000) { id } }', 'invalid'],
    ['minutes of 0', '{ aggregatedMetrics(minutes: 0) { eventCount } }', 'invalid'],
    ['a billion minutes', '{ aggregatedMetrics(minutes: 1000000000) { eventCount } }', 'invalid'],
    [
      'from behind to',
      '{ aggregatedMetrics(from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z") { eventCount } }',
      'invalid',
    ],
    [
      'minutes beside from',
      '{ aggregatedMetrics(minutes: 1, from: "2026-01-02T00:00:00Z") { eventCount } }',
      'invalid',
    ],
    ['too many buckets', '{ metricsSeries(minutes: 525600) { step } }', 'invalid'],
    ['13 levels', deep(13), 'invalid'],
    [
      '31 aliases',
      `{ ${Array.from({ length: 31 }, (_, i) => `a${i}: __typename`).join(' ')} }`,
      'invalid',
    ],
    ['51 directives', `{ __typename ${'@skip(if: false) '.repeat(51)} }`, 'invalid'],
    [
      '6,000 events at once',
      `{ ${'abcdef'.replace(/./g, (name) => `${name}: lastEvents(limit: 1000) { id } `)} }`,
      'invalid',
    ],
    [
      'six series',
      `{ ${'abcdef'.replace(/./g, (name) => `${name}: metricsSeries(minutes: 1) { step } `)} }`,
      'invalid',
    ],
    [
      'a fragment that contains itself',
      '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }',
      'invalid',
    ],
    ['such a fragment that is not used', '{ __typename } fragment A on Query { ...A }', 'invalid'],
    [
      'an unknown field of the input',
      'mutation { sendEvent(input: {userId: "u", eventType: "purchase", amout: 1, amount: 1}) { id } }',
      'invalid',
    ],
    [
      'no amount',
      'mutation { sendEvent(input: {userId: "u", eventType: "purchase"}) { id } }',
      'invalid',
    ],
    [
      'an amount that is a word',
      'mutation { sendEvent(input: {userId: "u", eventType: "purchase", amount: NaN}) { id } }',
      'invalid',
    ],
    [
      'an amount that is true',
      'mutation { sendEvent(input: {userId: "u", eventType: "purchase", amount: true}) { id } }',
      'invalid',
    ],
    [
      'an amount that is a list',
      'mutation { sendEvent(input: {userId: "u", eventType: "purchase", amount: []}) { id } }',
      'invalid',
    ],
    [
      'an amount that is an object',
      'mutation { sendEvent(input: {userId: "u", eventType: "purchase", amount: {}}) { id } }',
      'invalid',
    ],
    [
      'metadata that is text',
      'mutation { sendEvent(input: {userId: "u", eventType: "purchase", amount: 1, metadata: "{}"}) { id } }',
      'invalid',
    ],
    [
      'metadata with a key twice',
      'mutation { sendEvent(input: {userId: "u", eventType: "purchase", amount: 1, metadata: {a: 1, a: 2}}) { id } }',
      'invalid',
    ],
    [
      'metadata with __proto__',
      'mutation { sendEvent(input: {userId: "u", eventType: "purchase", amount: 1, metadata: {__proto__: {a: 1}}}) { id } }',
      'invalid',
    ],
    ['a position that is none', '{ lastEvents(atLeast: "here") { id } }', 'invalid'],
    ['no operation', 'fragment A on Query { __typename }', 'invalid'],
    ['two operations', 'query A { __typename } query B { __typename }', 'invalid'],
  ])('with %s is refused with 400', async (_, text, code) => {
    const { status, errors } = await run(hub.url, text);
    expect(errors[0]?.extensions.code).toBe(code);
    expect(status).toBe(400);
    const legacy = await run(hub.url, text, undefined, { accept: 'application/json' });
    expect(legacy.status).toBe(200);
    expect(legacy.errors[0]?.extensions.code).toBe(code);
  });

  describe('that asks for metadata under several names', () => {
    const named = (count: number) =>
      Array.from({ length: count }, (_, at) => `m${at}: metadata`).join(' ');
    const page = (first: number, fields: string) =>
      `{ events(first: ${first}) { edges { node { ${fields} } } } }`;

    it.each([
      ['names', page(1_000, named(6))],
      [
        'names in fragments',
        `${page(1_000, `metadata ...F ${named(4)}`)} fragment F on Event { f: metadata }`,
      ],
      [
        'pages',
        `{ ${'ab'.replace(/./g, (name) => `${name}: lastEvents(limit: 1000) { ${named(3)} } `)} }`,
      ],
    ])('is weighed by its %s', async (_, text) => {
      const { status, errors } = await run(hub.url, text);
      expect(errors[0]?.extensions.errors?.[0]?.code).toBe('too_costly');
      expect(status).toBe(400);
    });

    it.each([
      ['few of them', page(1_000, named(5))],
      [
        'one, in many fragments',
        `${page(1_000, `metadata ${'...F '.repeat(9)}`)} fragment F on Event { metadata }`,
      ],
      ['many of a few events', page(100, named(30))],
    ])('runs with %s', async (_, text) => {
      expect(await run(hub.url, text)).toMatchObject({ status: 200, errors: [] });
    });
  });

  describe('whose length is a variable', () => {
    const six = (head: string, field: string) =>
      `${head} { ${'abcdef'.replace(/./g, (name) => `${name}: ${field} `)} }`;
    const latest = (head: string) => six(head, 'lastEvents(limit: $n) { id }');
    const listed = (head: string) => six(head, 'events(first: $n) { edges { cursor } }');

    it.each([
      ['the default', latest('query ($n: Int = 1000)'), {}],
      ['the default, in a listing', listed('query ($n: Int = 1000)'), {}],
      ['what is sent in place of the default', latest('query ($n: Int = 1)'), { n: 1000 }],
      ['text', latest('query ($n: Int)'), { n: '1000' }],
      ['a list as the default', latest('query ($n: Int = [1000])'), {}],
    ])('is weighed by it: %s', async (_, text, variables) => {
      const { status, errors } = await run(hub.url, text, variables);
      expect(errors[0]?.extensions.errors?.[0]?.code).toBe('too_costly');
      expect(status).toBe(400);
    });

    it.each([
      ['a short default', latest('query ($n: Int = 1)'), {}],
      ['a short length for a long default', latest('query ($n: Int = 1000)'), { n: 1 }],
      ['null for a long default', latest('query ($n: Int = 1000)'), { n: null }],
      ['null as the default', latest('query ($n: Int = null)'), {}],
      ['nothing', latest('query ($n: Int)'), {}],
      ['nothing, in a listing', listed('query ($n: Int)'), {}],
    ])('runs with %s', async (_, text, variables) => {
      const { status, errors } = await run(hub.url, text, variables);
      expect(errors).toEqual([]);
      expect(status).toBe(200);
    });
  });

  it.each([
    ['a name that it does not have', ',"operationName":"C"'],
    ['a blank name', ',"operationName":""'],
  ])('with %s is refused', async (_, more) => {
    const { status } = await post(hub.url, query('query A { __typename }', more));
    expect(status).toBe(400);
  });

  it.each([
    ['an unknown one', { a: 1, b: 2 }],
    ['one missing', {}],
    ['an Int as text', { a: '1' }],
    ['a number that a double cannot hold', { a: 'X' }],
  ])('with variables of which there is %s is refused', async (_, variables) => {
    const body = JSON.stringify({
      query: 'query ($a: Int!) { lastEvents(limit: $a) { id } }',
      variables,
    });
    const { status, errors } = await post(hub.url, body.replace('"X"', '9007199254740993'));
    expect(status).toBe(400);
    expect(errors[0]?.extensions.code).toBe('invalid');
  });

  it('is refused with a short message however long the value is', async () => {
    const input = {
      userId: 'u',
      eventType: 'purchase',
      amount: 1,
      currency: ['x'.repeat(100_000)],
    };
    const { errors } = await run(hub.url, sendEvent, { input });
    expect(errors[0]?.message.length).toBeLessThan(1_100);
  });

  it('within the limits is answered, with fragments used many times', async () => {
    const { errors, data } = await run(
      hub.url,
      'query { ...A ...A b: lastEvents(limit: 1000) { ...E } } fragment A on Query { lastEvents(limit: 1000) { ...E } } fragment E on Event { id }',
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({ lastEvents: [], b: [] });
  });

  it('with one event of 100,000 keys is refused as REST refuses it, and a batch is counted by event', async () => {
    const keys = Array.from({ length: 100_000 }, (_, i) => `"k${i}":0`).join(',');
    const one = query(sendEvent, `,"variables":{"input":{"metadata":{${keys}}}}`);
    const { status, errors } = await post(hub.url, one);
    expect(status).toBe(400);
    expect(errors[0]?.extensions).toMatchObject({
      code: 'unreadable',
      errors: [{ code: 'too_many_keys' }],
    });
  });
});

describe('a mutation by GET', () => {
  it('is refused with 405', async () => {
    const text = 'mutation { sendEvent(input:{userId:"u",eventType:"purchase",amount:1}) { id } }';
    for (const accept of [graphqlType, 'application/json']) {
      const { status, headers, errors } = await getOperation(hub.url, { query: text }, { accept });
      expect(status).toBe(405);
      expect(headers.get('allow')).toBe('POST');
      expect(errors[0]?.extensions.code).toBe('method_not_allowed');
    }
  });
});

describe('another method', () => {
  it.each(['PUT', 'DELETE', 'PATCH'])('%s is refused with 405', async (method) => {
    const response = await fetch(`${hub.url}/graphql`, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
  });
});

describe('an Accept that nothing answers', () => {
  it.each(['text/plain', 'application/xml', 'application/json;q=0'])(
    '%s is refused with 406 before anything is done',
    async (accept) => {
      const { status, errors } = await run(
        hub.url,
        sendEvent,
        { input: { userId: 'u', eventType: 'purchase', amount: 1 } },
        { accept },
      );
      expect(status).toBe(406);
      expect(errors[0]?.extensions.code).toBe('unsupported_media_type');
    },
  );

  it('is one of whole answers for a subscription', async () => {
    const { status, errors } = await run(hub.url, 'subscription { eventStream { id } }');
    expect(status).toBe(406);
    expect(errors[0]?.message).toContain('text/event-stream');
  });
});
