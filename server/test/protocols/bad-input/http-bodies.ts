import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { limits } from '../../../src/base/limits.ts';
import { eventText, type Row } from './rows.ts';

/** A body for `POST /events`, and around a GraphQL operation for `POST /graphql`. */
export interface BodyRow extends Row {
  /** Made from what the path takes. */
  body(good: Buffer): string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** The status, and the code of the error; taken without. */
  readonly rest: readonly [number, string?];
  /** As over REST where absent; false where the path takes other bodies. */
  readonly graphql?: readonly [number, string?] | false;
  readonly says?: string;
}

const addJson = 'add the header "Content-Type: application/json"';

/** 21, 33, 34, 36, 40 to 42: bytes, encodings and media types, on both of the paths that take JSON. */
export const bodyRows: readonly BodyRow[] = [
  body(21, 'an empty body', () => '', [400, 'unreadable']),
  body(21, 'a blank body', () => ' \r\n\t', [400, 'unreadable']),
  body(33, 'a byte order mark', (good) => Buffer.concat([Buffer.from('\ufeff'), good]), [
    400,
    'unreadable',
  ]),
  body(33, 'only a byte order mark', () => '\ufeff', [400, 'unreadable']),
  ...(['utf16le', 'latin1'] as const).map((encoding) =>
    body(34, `a body in ${encoding}`, (good) => Buffer.from(`${good}ü`, encoding), [
      400,
      'unreadable',
    ]),
  ),
  body(
    34,
    'a body in UTF-32',
    (good) => Buffer.from([...good].flatMap((byte) => [byte, 0, 0, 0])),
    [400, 'unreadable'],
  ),
  ...['latin1', 'utf-16', 'utf-32', 'iso-8859-1', 'utf8x'].map((charset) =>
    mediaType(34, `application/json; charset=${charset}`),
  ),
  body(36, '10 MB of text', () => Buffer.alloc(10_000_000, 0x61), [413, 'too_large'], {
    says: `the body is longer than ${limits.batchBodyBytes} bytes`,
  }),
  body(36, 'one event of 2 MB', (good) => `${good} `.padEnd(2_000_000), [413, 'too_large'], {
    // An operation may hold a batch, so it may be longer; the blanks around it are nothing.
    graphql: [200],
  }),
  body(40, 'a batch of a million', () => `[${'{},'.repeat(999_999)}{}]`, [413, 'too_large'], {
    graphql: false,
  }),
  body(40, 'a million lines', () => '{}\n'.repeat(1_000_000), [413, 'too_large'], {
    headers: { 'content-type': 'application/x-ndjson' },
    graphql: false,
  }),
  body(
    41,
    'a gzip bomb',
    () => gzipSync(Buffer.alloc(10 * limits.batchBodyBytes)),
    [413, 'too_large'],
    encoded('gzip'),
  ),
  body(
    41,
    'a brotli bomb',
    () => brotliCompressSync(Buffer.alloc(limits.batchBodyBytes + 1)),
    [413, 'too_large'],
    encoded('br'),
  ),
  ...['zstd', 'compress', 'gzip, gzip', 'identity, gzip', 'nonsense', ''].map((encoding) =>
    body(
      41,
      `the encoding "${encoding}"`,
      (good) => gzipSync(good),
      [415, 'unsupported_media_type'],
      encoded(encoding),
    ),
  ),
  body(41, 'a corrupt gzip', () => 'not gzip', [400, 'unreadable'], encoded('gzip')),
  body(
    41,
    'a gzip that is cut off',
    (good) => gzipSync(good).subarray(0, -9),
    [400, 'unreadable'],
    encoded('gzip'),
  ),
  body(41, 'a good gzip', (good) => gzipSync(good), [201], { ...encoded('gzip'), graphql: [200] }),
  body(41, 'a good deflate', (good) => deflateSync(good), [201], {
    ...encoded('deflate'),
    graphql: [200],
  }),
  ...[
    'text/plain',
    'text/plain;charset=UTF-8',
    'application/jsonx',
    'application/json-patch+json',
    'application/json, application/json',
    'application/json\t; charset=utf-8',
    'application/json; charset=utf-8; charset=utf-8',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/xml',
    'json',
    '*/*',
  ].map((type) => mediaType(42, type)),
];

function body(
  n: number,
  is: string,
  make: BodyRow['body'],
  rest: BodyRow['rest'],
  more: Partial<BodyRow> = {},
): BodyRow {
  return { n, is, body: make, rest, ...more };
}

function encoded(encoding: string): Partial<BodyRow> {
  return { headers: { 'content-encoding': encoding } };
}

function mediaType(n: number, type: string): BodyRow {
  return {
    ...body(n, `the media type ${type}`, (good) => good, [415, 'unsupported_media_type']),
    headers: { 'content-type': type },
    says: addJson,
  };
}

/** What each path takes as it is. */
export function goodBody(path: '/events' | '/graphql', id: string): Buffer {
  const event = eventText().replace('$ID', id);
  if (path === '/events') return Buffer.from(event);
  const input = event.replace('user_id', 'userId').replace('event_type', 'eventType');
  const query = 'mutation ($input: EventInput!) { sendEvent(input: $input) { id } }';
  return Buffer.from(`{"query":${JSON.stringify(query)},"variables":{"input":${input}}}`);
}
