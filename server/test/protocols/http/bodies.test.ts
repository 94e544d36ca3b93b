import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { sendRaw } from '../../support/raw-http.ts';
import { anInput, postEvents } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.remove());

describe('content encoding', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', (text: string) => Buffer.from(text)],
    ['GZIP', gzipSync],
  ])('takes %s', async (encoding, compress) => {
    const body = compress(JSON.stringify(anInput()));
    const answer = await postEvents(hub.url, body, { 'content-encoding': encoding });
    expect(answer.status).toBe(201);
  });

  it.each(['zstd', 'gzip, gzip', 'gzip, br', 'nonsense', '__proto__'])(
    'refuses %s with 415 and names what it takes',
    async (encoding) => {
      const body = gzipSync(JSON.stringify(anInput()));
      const answer = await postEvents(hub.url, body, { 'content-encoding': encoding });
      expect(answer.status).toBe(415);
      expect(answer.json.detail).toContain('Content-Encoding: gzip');
    },
  );

  it('stops a bomb at the decoded limit', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, 32));
    const answer = await postEvents(hub.url, bomb, { 'content-encoding': 'gzip' });
    expect(answer.status).toBe(413);
    expect(answer.json.code).toBe('too_large');
  });

  it.each([
    ['corrupt', Buffer.from('not gzip at all')],
    ['cut off', gzipSync(JSON.stringify(anInput())).subarray(0, 20)],
  ])('cannot read a %s gzip', async (_, body) => {
    const answer = await postEvents(hub.url, body, { 'content-encoding': 'gzip' });
    expect(answer.status).toBe(400);
    expect(answer.json.code).toBe('unreadable');
  });
});

describe('media type', () => {
  it.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/x-ndjson',
    'application/x-ndjson;charset=utf-8',
  ])('takes %s', async (type) => {
    const answer = await postEvents(hub.url, anInput(), { 'content-type': type });
    expect(answer.status).toBe(201);
  });

  it.each([
    'text/plain',
    'application/jsonx',
    'application/json-seq',
    'application/problem+json',
    'application/json; charset=latin1',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8; x=1',
    'application/json\t; charset=utf-8',
    'application/json,application/json',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'application/csv',
  ])('refuses %s with the header to add', async (type) => {
    const answer = await postEvents(hub.url, anInput(), { 'content-type': type });
    expect(answer.status).toBe(415);
    expect(answer.json.detail).toContain('add the header "Content-Type: application/json"');
  });

  const raw = (header: string) => {
    const body = JSON.stringify(anInput());
    return `POST /events HTTP/1.1\r\nHost: hub\r\n${header}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  };

  it('must be there', async () => {
    expect((await sendRaw(hub.url, raw(''))).status).toBe(415);
  });

  it('must be there once', async () => {
    const header = 'Content-Type: application/json\r\n';
    expect((await sendRaw(hub.url, raw(header + header))).status).toBe(415);
  });

  it('may have blanks around it, which HTTP says are not part of it', async () => {
    const header = 'Content-Type: \t application/json\t \r\n';
    expect((await sendRaw(hub.url, raw(header))).status).toBe(201);
  });
});

describe('body', () => {
  it.each([
    ['nothing', ''],
    ['a blank', ' '],
    ['half an object', '{"id":"x"'],
    ['rubbish after the object', '{}{}'],
    ['a trailing comma', '{"user_id":"u1",}'],
    ['a comment', '{}//'],
    ['single quotes', "{'a':1}"],
    ['NaN', '{"amount":NaN}'],
    ['a leading zero', '{"amount":01}'],
    ['a leading plus', '{"amount":+1}'],
    ['a leading point', '{"amount":.5}'],
    ['a trailing point', '{"amount":1.}'],
    ['a repeated key', '{"amount":1,"amount":100}'],
    ['a key that reaches for prototypes', '{"__proto__":{"a":1}}'],
    ['a byte order mark', Buffer.from('\ufeff{}')],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['UTF-16', Buffer.from('{}', 'utf16le')],
    ['a hundred thousand brackets', '['.repeat(100_000)],
    ['a hundred thousand braces', '{"a":'.repeat(100_000)],
    ['too many keys', `{${Array.from({ length: 100_000 }, (_, i) => `"${i}":1`).join(',')}}`],
  ])('of %s cannot be read', async (_, body) => {
    const answer = await postEvents(hub.url, body);
    expect(answer.status).toBe(400);
    expect(answer.json.code).toBe('unreadable');
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it.each(['null', '5', '"x"', 'true'])('of %s is no event', async (body) => {
    const answer = await postEvents(hub.url, body);
    expect(answer.status).toBe(422);
    expect(answer.json.code).toBe('invalid');
  });

  it('of one event has a smaller limit than a batch', async () => {
    const long = anInput({ metadata: { a: 'x'.repeat(limits.singleBodyBytes) } });
    expect((await postEvents(hub.url, long)).status).toBe(413);
  });

  it('over the limit is refused while the sender can still read why', async () => {
    const answer = await postEvents(hub.url, Buffer.alloc(limits.batchBodyBytes + 1, 32));
    expect(answer.status).toBe(413);
    expect(answer.headers.get('connection')).toBe('close');
    expect(answer.json.detail).toContain(String(limits.batchBodyBytes));
  });
});
