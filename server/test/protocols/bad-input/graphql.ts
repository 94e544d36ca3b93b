import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { limits } from '../../../src/base/limits.ts';
import { postGraphql } from '../drivers/graphql-driver.ts';
import { type CheckRow, eventText, type Row } from './rows.ts';

/** A request to `/graphql` by HTTP. */
export interface GraphqlRow extends Row {
  /** The body of a POST: text as it is, anything else as JSON. */
  readonly body?: unknown;
  /** Or a GET with this query string. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  /** Of the error; absent where there is none. */
  readonly code?: string;
}

const send = `mutation { sendEvent(input: { id: "by-graphql", userId: "u1", eventType: "purchase", amount: 1 }) { id } }`;
const twoOperations = 'query A { __typename } query B { __typename }';
const withLimit = 'query ($limit: Int) { lastEvents(limit: $limit) { id } }';
const withInput = 'mutation ($input: EventInput!) { sendEvent(input: $input) { id } }';

/** 1, 10, 16, 27, 28, 88, 89, 91, 92 and 94: literals, operations and requests. */
export const graphqlRows: readonly GraphqlRow[] = [
  ...['NaN', 'Infinity', 'ONE'].flatMap((name) => [
    operation(1, `the amount ${name} as a bare name`, sending(`amount: ${name}`)),
    operation(1, `${name} in metadata`, sending(`amount: 1, metadata: { a: [${name}] }`)),
  ]),
  operation(16, 'a truth value as the amount', sending('amount: true')),
  operation(16, 'an object as the amount', sending('amount: { value: 1 }')),
  operation(27, 'a field twice', sending('amount: 1, amount: 100')),
  operation(27, 'a key of metadata twice', sending('amount: 1, metadata: { a: 1, a: 2 }')),
  operation(28, '__proto__ in metadata', sending('amount: 1, metadata: { __proto__: { a: 1 } }')),
  operation(10, 'an inexact number in metadata', sending('amount: 1, metadata: { a: 1e400 }')),
  operation(88, '500 aliases', `{ ${repeat(500, (at) => `a${at}: __typename`)} }`),
  operation(
    88,
    '1,000 aliases, which are too many tokens',
    `{ ${repeat(1_000, (at) => `a${at}: __typename`)} }`,
    'unreadable',
  ),
  operation(
    88,
    'aliases within a fragment',
    `{ ...F } fragment F on Query { ${repeat(100, (at) => `a${at}: __typename`)} }`,
  ),
  operation(
    88,
    '30 levels',
    `{ events { edges { ${'node { '.repeat(30)}id${' }'.repeat(30)} } } }`,
  ),
  operation(88, '10,000 tokens', `{ ${repeat(10_000, () => '__typename')} }`, 'unreadable'),
  operation(88, 'a fragment within itself', '{ ...F } fragment F on Query { ...F }'),
  operation(
    88,
    'fragments in a circle',
    '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }',
  ),
  operation(
    88,
    'fragments that double 30 times',
    `{ ...F0 } ${repeat(30, (at) => `fragment F${at} on Query { a${at}: __typename ...F${at + 1} ...F${at + 1} }`)} fragment F30 on Query { __typename }`,
  ),
  operation(88, '100 directives', `{ __typename ${'@include(if: true) '.repeat(100)} }`),
  operation(
    88,
    'ten pages of a thousand',
    `{ ${repeat(10, (at) => `a${at}: lastEvents(limit: 1000) { id }`)} }`,
  ),
  operation(
    88,
    'thirty pages of a thousand, by the default of a variable',
    `query ($n: Int = 1000) { ${repeat(30, (at) => `a${at}: lastEvents(limit: $n) { id }`)} }`,
  ),
  operation(88, '100,000 open braces', '{a'.repeat(100_000), 'unreadable'),
  operation(
    88,
    'nested lists without end',
    `{ event(id: ${'['.repeat(900)}${']'.repeat(900)}) { id } }`,
  ),
  operation(88, 'a field that there is not', '{ lastEvent { id } }'),
  operation(88, 'an argument that there is not', '{ lastEvents(limits: 5) { id } }'),
  operation(
    88,
    'a mutation a thousand times',
    `mutation { ${repeat(1_000, (at) => `a${at}: sendEvent(input: { userId: "u1", eventType: "purchase", amount: 1 }) { id }`)} }`,
    'unreadable',
  ),
  request(89, 'a list of 50 operations', Array(50).fill({ query: '{ __typename }' })),
  request(89, 'an empty list', []),
  {
    n: 91,
    is: 'a mutation by GET',
    query: new URLSearchParams({ query: send }).toString(),
    status: 405,
    code: 'method_not_allowed',
  },
  ...[
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
    'application/graphql',
    '',
  ].map((type) => ({
    n: 91,
    is: `a mutation as ${type || 'nothing'}`,
    body: JSON.stringify({ query: send }),
    headers: { 'content-type': type },
    status: 415,
    code: 'unsupported_media_type',
  })),
  request(92, 'an unknown variable', { query: withLimit, variables: { limit: 1, limits: 2 } }),
  request(92, 'a missing variable', { query: withInput }),
  request(92, 'a text for an Int', { query: withLimit, variables: { limit: '10' } }),
  request(92, 'a fraction for an Int', { query: withLimit, variables: { limit: 1.5 } }),
  request(92, 'too large an Int', { query: withLimit, variables: { limit: 2_147_483_648 } }),
  request(92, 'variables that are a list', { query: withLimit, variables: [1] }),
  request(92, 'variables that are text', { query: withLimit, variables: '{"limit":1}' }),
  request(92, 'an input without its fields', { query: withInput, variables: { input: {} } }),
  request(92, 'an undeclared variable in the query', {
    query: '{ lastEvents(limit: $limit) { id } }',
  }),
  request(92, 'a member that there is not', { query: '{ __typename }', operation: 'A' }),
  request(92, 'a number for the query', { query: 5 }),
  request(94, 'no query', {}),
  request(94, 'null for the query', { query: null }),
  request(94, 'an empty query', { query: '' }, 'unreadable'),
  request(94, 'a blank query', { query: ' \n ' }, 'unreadable'),
  request(94, 'only a comment', { query: '# nothing' }, 'unreadable'),
  request(94, 'only a fragment', { query: 'fragment F on Query { __typename }' }),
  request(94, 'two operations without a name', { query: twoOperations }),
  request(94, 'two operations and a wrong name', { query: twoOperations, operationName: 'C' }),
  request(94, 'two operations of one name', {
    query: 'query A { __typename } query A { __typename }',
    operationName: 'A',
  }),
  request(94, 'half a query', { query: '{ lastEvents {' }, 'unreadable'),
  request(94, 'the variables as the query', { query: eventText() }, 'unreadable'),
  {
    n: 94,
    is: 'two operations and a name',
    body: { query: twoOperations, operationName: 'B' },
    status: 200,
  },
  { n: 94, is: 'a GET without a query', query: '', status: 400, code: 'invalid' },
];

/** 93: subscriptions. */
export const subscriptionRows: readonly CheckRow[] = [
  {
    n: 93,
    is: 'a subscription before connection_init',
    check: async ({ hub }) => {
      const socket = await openSocket(hub.url);
      socket.send(JSON.stringify(subscribe('1')));
      expect(await closed(socket)).toBe(4401);
    },
  },
  {
    n: 93,
    is: 'a second connection_init',
    check: async ({ hub }) => {
      const socket = await initialised(hub.url);
      socket.send('{"type":"connection_init"}');
      expect(await closed(socket)).toBe(4429);
    },
  },
  {
    n: 93,
    is: 'the same id twice',
    check: async ({ hub }) => {
      const socket = await initialised(hub.url);
      socket.send(JSON.stringify(subscribe('1')));
      socket.send(JSON.stringify(subscribe('1')));
      expect(await closed(socket)).toBe(4409);
    },
  },
  {
    n: 93,
    is: 'messages that are none',
    check: async ({ hub }) => {
      for (const message of ['nonsense', '{}', '[]', '{"type":"subscribe"}', '{"type":"start"}']) {
        const socket = await initialised(hub.url);
        socket.send(message);
        expect(await closed(socket), message).toBe(4400);
      }
    },
  },
  {
    n: 93,
    is: 'no connection_init at all',
    check: async ({ hub }) => {
      expect(await closed(await openSocket(hub.url))).toBe(4408);
    },
  },
  {
    n: 93,
    is: 'one operation too many',
    check: async ({ hub }) => {
      const socket = await initialised(hub.url);
      const refusal = new Promise<{ type: string; id: string; payload: unknown }>((resolve) => {
        socket.on('message', (data) => resolve(JSON.parse(String(data))));
      });
      for (let id = 1; id <= limits.websocketSubscriptions + 1; id += 1) {
        socket.send(JSON.stringify(subscribe(String(id))));
      }
      expect(await refusal).toMatchObject({
        type: 'error',
        id: String(limits.websocketSubscriptions + 1),
        payload: [{ extensions: { code: 'rate_limited' } }],
      });
      socket.close();
    },
  },
  {
    n: 93,
    is: 'a subscription by plain POST',
    check: async ({ hub }) => {
      const { status } = await postGraphql(hub.url, JSON.stringify(subscribe('1').payload));
      expect(status).toBe(406);
    },
  },
  {
    n: 93,
    is: 'a message that is too long',
    check: async ({ hub }) => {
      const socket = await initialised(hub.url);
      socket.send('x'.repeat(limits.websocketPayloadBytes + 1));
      expect(await closed(socket)).toBe(1009);
    },
  },
];

function operation(n: number, is: string, query: string, code = 'invalid'): GraphqlRow {
  return request(n, is, { query }, code);
}

function request(n: number, is: string, body: unknown, code = 'invalid'): GraphqlRow {
  return { n, is, body, status: 400, code };
}

function sending(fields: string): string {
  return `mutation { sendEvent(input: { userId: "u1", eventType: "purchase", ${fields} }) { id } }`;
}

function repeat(count: number, make: (at: number) => string): string {
  return Array.from({ length: count }, (_, at) => make(at)).join(' ');
}

function subscribe(id: string) {
  return { id, type: 'subscribe', payload: { query: 'subscription { eventStream { id } }' } };
}

async function openSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('open', resolve));
  return socket;
}

async function initialised(url: string): Promise<WebSocket> {
  const socket = await openSocket(url);
  socket.send('{"type":"connection_init"}');
  await new Promise((resolve) => socket.once('message', resolve));
  return socket;
}

function closed(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => socket.once('close', resolve));
}
