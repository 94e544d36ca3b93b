import { limits } from '../../../src/base/limits.ts';
import { eventText, type Row } from './rows.ts';

/** Bytes for the HTTP port as no client library would let them out. */
export interface RawRow extends Row {
  readonly raw: string | Buffer | readonly (string | Buffer)[];
  readonly status: number;
  /** Of the problem document; absent where the answer is none. */
  readonly code?: string;
  /** What the head of the answer must hold, in lower case. */
  readonly head?: string;
  /** What nothing of the answer may hold. */
  readonly without?: string;
}

const event = eventText().replace('$ID', 'framed');
const length = `Content-Length: ${event.length}\r\n`;
const chunked = 'Transfer-Encoding: chunked\r\n';
const chunk = `${event.length.toString(16)}\r\n${event}\r\n`;
const tenMegabytes = 'Content-Length: 10485760\r\n';

/** 43 to 47, 102, 103, 109 to 111: framing, headers and paths. */
export const rawRows: readonly RawRow[] = [
  framing(44, 'a chunk size that is no number', post(chunked, `xyz\r\n${event}\r\n0\r\n\r\n`)),
  framing(44, 'a negative chunk size', post(chunked, `-5\r\n${event}\r\n0\r\n\r\n`)),
  framing(44, 'a chunk size beyond 64 bits', post(chunked, `${'f'.repeat(20)}\r\n${event}\r\n`)),
  framing(44, 'a chunk that is longer than its size', post(chunked, `5\r\n${event}\r\n0\r\n\r\n`)),
  {
    ...framing(
      44,
      'a huge chunk extension',
      post(chunked, `5;${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`),
    ),
    status: 413,
    code: 'too_large',
  },
  {
    n: 44,
    is: 'chunks without an end',
    raw: [post(chunked, ''), ...Array(9).fill(bigChunk())],
    status: 413,
    code: 'too_large',
  },
  framing(45, 'Content-Length beside Transfer-Encoding', post(length + chunked, chunk)),
  framing(45, 'two Content-Lengths', post(`${length}Content-Length: 1\r\n`, event)),
  framing(45, 'two Content-Lengths in one', post(`Content-Length: ${event.length}, 1\r\n`, event)),
  framing(45, 'a Content-Length with a sign', post(`Content-Length: +${event.length}\r\n`, event)),
  framing(45, 'Transfer-Encoding: chunked twice', post(chunked + chunked, chunk)),
  framing(45, 'an unknown Transfer-Encoding', post('Transfer-Encoding: chunked, gzip\r\n', chunk)),
  framing(45, 'a folded header', post(`X-Folded: a\r\n b\r\n${length}`, event)),
  framing(45, 'a blank before the colon', post(`X-Blank : a\r\n${length}`, event)),
  framing(45, 'bare line feeds', post(length, event).replaceAll('\r\n', '\n')),
  framing(45, 'no Host', post(length, event).replace('Host: hub\r\n', '')),
  framing(45, 'a NUL in a header', post(`X-Nul: a\0b\r\n${length}`, event)),
  framing(45, 'another protocol', 'EHLO hub\r\n\r\n'),
  {
    n: 47,
    is: 'Expect: 100-continue with too long a body',
    raw: post(`Expect: 100-continue\r\n${tenMegabytes}`, ''),
    status: 413,
    code: 'too_large',
    without: '100 Continue',
  },
  {
    n: 47,
    is: 'an unknown Expect',
    raw: post(`Expect: 200-ok\r\n${length}`, event),
    status: 417,
    code: 'unreadable',
  },
  tooLong(102, 'a header of 20 KB', `X-Long: ${'x'.repeat(20_000)}\r\n`),
  tooLong(102, '200 headers', 'X-More: 1\r\n'.repeat(200)),
  tooLong(102, '101 headers', 'X-More: 1\r\n'.repeat(limits.headerCount - 2)),
  ...[
    ['Idempotency-Key twice', 'Idempotency-Key: a\r\nIdempotency-Key: b\r\n'],
    ['the same Idempotency-Key twice', 'Idempotency-Key: a\r\nIdempotency-Key: a\r\n'],
    ['an empty Idempotency-Key', 'Idempotency-Key:\r\n'],
    ['an empty quoted Idempotency-Key', 'Idempotency-Key: ""\r\n'],
    ['half a quote', 'Idempotency-Key: "a\r\n'],
    ['an Idempotency-Key of 256', `Idempotency-Key: ${'k'.repeat(256)}\r\n`],
    ['an Idempotency-Key with a blank', 'Idempotency-Key: a b\r\n'],
    ['two Idempotency-Keys in one', 'Idempotency-Key: "a", "b"\r\n'],
    ['an Idempotency-Key beside another id', 'Idempotency-Key: "a"\r\n'],
  ].map(([is = '', header = '']) => ({
    n: 103,
    is,
    raw: post(header + length, event),
    status: 400,
    code: 'unreadable',
  })),
  ...[
    '/nothing',
    '/Events',
    '/events/',
    '//events',
    '/events//a',
    '/v1/..;/events',
    '/events/../events',
    '/events/%2e%2e/events',
    '/events/a/b',
    '/docs/assets/..%2f..%2fpackage.json',
    '/events/a%2fb',
  ].map((path) => getting(path, 404, 'not_found')),
  ...[
    '/events/%',
    '/events/%zz',
    '/events/%ff',
    '/events?user_id=%',
    `/events/${'a'.repeat(9_000)}`,
  ].map((path) => getting(path, 400, 'unreadable')),
  getting('/events?usr_id=a', 422, 'invalid'),
  ...[
    ['DELETE', '/events', 'allow: get, head, post'],
    ['PUT', '/events/a', 'allow: get, head'],
    ['POST', '/aggregates', 'allow: get, head'],
    ['OPTIONS', '/events', 'allow: get, head, post'],
    ['TRACE', '/events', 'allow: get, head, post'],
    ['PATCH', '/graphql', 'allow: get, head, post'],
  ].map(([method, path, head = '']) => ({
    n: 109,
    is: `${method} ${path}`,
    raw: `${method} ${path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n`,
    status: 405,
    code: 'method_not_allowed',
    head,
  })),
  framing(110, 'a bare CR in X-Request-Id', post(`X-Request-Id: a\rX-Evil: 1\r\n${length}`, event)),
  {
    n: 110,
    is: 'an X-Request-Id, which only a refusal gives back',
    raw: getText('/livez', 'X-Request-Id: chosen-by-client\r\n'),
    status: 200,
    without: 'chosen-by-client',
  },
  {
    n: 110,
    is: 'an X-Request-Id that is no id, which is given back nowhere',
    raw: getText('/events?usr_id=a', 'X-Request-Id: chosen{by}client\r\n'),
    status: 422,
    code: 'invalid',
    without: 'chosen',
  },
  ...['/', '/events', '/openapi.json', '/graphql?query={__typename}'].map((path) => ({
    n: 111,
    is: `X-Forwarded headers on ${path}`,
    raw: getText(
      path,
      'X-Forwarded-For: 10.9.9.9\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: gopher\r\nForwarded: host=evil.example\r\n',
    ),
    status: 200,
    without: 'evil.example',
  })),
];

function post(headers: string, body: string): string {
  return `POST /events HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\nConnection: close\r\n${headers}\r\n${body}`;
}

function getText(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n${headers}\r\n`;
}

function framing(n: number, is: string, raw: string): RawRow {
  return { n, is, raw, status: 400, code: 'unreadable', head: 'connection: close' };
}

function tooLong(n: number, is: string, header: string): RawRow {
  return { n, is, raw: post(header + length, event), status: 431, code: 'too_large' };
}

function getting(path: string, status: number, code: string): RawRow {
  return { n: 109, is: `GET ${path.slice(0, 60)}`, raw: getText(path), status, code };
}

function bigChunk(): Buffer {
  const size = 1024 * 1024;
  return Buffer.concat([
    Buffer.from(`${size.toString(16)}\r\n`),
    Buffer.alloc(size, 0x20),
    Buffer.from('\r\n'),
  ]);
}
