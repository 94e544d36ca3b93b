import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { openRaw, readAnswer, sendRaw } from '../../support/raw-http.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.remove());

const event = '{"id":"framed-1","user_id":"u1","event_type":"purchase","amount":1}';

function post(headers: string, body: string): string {
  return `POST /events HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\nConnection: close\r\n${headers}\r\n${body}`;
}

async function storedCount(): Promise<number> {
  const answer = await fetch(`${hub.url}/events`);
  return ((await answer.json()) as { events: unknown[] }).events.length;
}

const length = `Content-Length: ${event.length}\r\n`;
const chunked = 'Transfer-Encoding: chunked\r\n';
const refused: readonly (readonly [string, string, number])[] = [
  ['Content-Length beside Transfer-Encoding', post(length + chunked, `0\r\n\r\n${event}`), 400],
  ['two Content-Lengths', post(length + length.replace(/\d+/, '1'), event), 400],
  ['a Content-Length that is no number', post('Content-Length: 1e3\r\n', event), 400],
  ['a folded header', post(`X-Folded: a\r\n b\r\n${length}`, event), 400],
  ['bare line feeds', post(length, event).replaceAll('\r\n', '\n'), 400],
  ['a NUL in a header', post(`X-Odd: a\0b\r\n${length}`, event), 400],
  ['no Host', post(length, event).replace('Host: hub\r\n', ''), 400],
  ['no HTTP', 'hello\r\n\r\n', 400],
  ['a chunk size that is no number', post(chunked, `zz\r\n${event}\r\n0\r\n\r\n`), 400],
  ['a huge chunk extension', post(chunked, `5;${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`), 413],
  ['a header of 20 KB', post(`X-Long: ${'x'.repeat(20_000)}\r\n${length}`, event), 431],
  ['200 headers', post(`${'X-More: 1\r\n'.repeat(200)}${length}`, event), 431],
  ['an unknown Expect', post(`Expect: coffee\r\n${length}`, event), 417],
  [
    'an Upgrade to something unknown with a bad body',
    post(`Upgrade: h2c\r\n${length}`, '{'.padEnd(event.length)),
    400,
  ],
];

describe('framing', () => {
  it.each(refused)(
    'refuses %s with a problem document and stores nothing',
    async (_, raw, status) => {
      const answer = await sendRaw(hub.url, raw);
      expect(answer.status).toBe(status);
      expect(answer.head).toContain('content-type: application/problem+json');
      expect(answer.head).toContain('connection: close');
      const problem = JSON.parse(answer.body);
      expect(problem).toMatchObject({
        status,
        detail: expect.any(String),
        errors: expect.any(Array),
      });
      expect(await storedCount()).toBe(0);
    },
  );

  it('drops a body that breaks off', async () => {
    const socket = openRaw(hub.url);
    socket.write(post(`Content-Length: ${event.length + 10}\r\n`, event));
    socket.end();
    const answer = await readAnswer(socket);
    expect([0, 400]).toContain(answer.status);
    expect(await storedCount()).toBe(0);
  });

  it('drops a chunked body that breaks off', async () => {
    const socket = openRaw(hub.url);
    socket.write(post(chunked, `${event.length.toString(16)}\r\n${event}\r\n`));
    socket.end();
    const answer = await readAnswer(socket);
    expect([0, 400]).toContain(answer.status);
    expect(await storedCount()).toBe(0);
  });

  it('answers a whole request first when rubbish follows it', async () => {
    const readable = event.replace('framed-1', 'framed-2');
    const raw = post(length, `${readable}rubbish`).replace('Connection: close', 'X: y');
    const answer = await sendRaw(hub.url, raw);
    expect(answer.status).toBe(201);
    expect(answer.body).toContain('"framed-2"');
    expect(answer.all.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('answers pipelined requests in their order', async () => {
    const get = (id: string, last: string) =>
      `GET /events/${id} HTTP/1.1\r\nHost: hub\r\n${last}\r\n`;
    const { all } = await sendRaw(
      hub.url,
      get('none-1', '') + get('none-2', 'Connection: close\r\n'),
    );
    expect(all.match(/HTTP\/1\.1 404/g)).toHaveLength(2);
  });

  it('takes a body in many small chunks, with trailers', async () => {
    const text = event.replace('framed-1', 'framed-3');
    const chunks = [...text].map((character) => `1\r\n${character}\r\n`).join('');
    const answer = await sendRaw(hub.url, post(chunked, `${chunks}0\r\nX-Trailer: 1\r\n\r\n`));
    expect(answer.status).toBe(201);
  });

  it('refuses a long body at once by its declared length', async () => {
    const raw = post(`Content-Length: ${10 * 1024 * 1024}\r\n`, '[');
    const answer = await sendRaw(hub.url, raw);
    expect(answer.status).toBe(413);
    expect(answer.body).toContain(String(limits.batchBodyBytes));
  });

  it('refuses a long chunked body as soon as the limit is passed', async () => {
    const chunk = Buffer.concat([
      Buffer.from('100000\r\n'),
      Buffer.alloc(0x100000, 32),
      Buffer.from('\r\n'),
    ]);
    const answer = await sendRaw(hub.url, [
      post(chunked, ''),
      ...Array.from({ length: 9 }, () => chunk),
    ]);
    expect(answer.status).toBe(413);
    expect(answer.head).toContain('connection: close');
  });

  it('refuses a body that waits for leave and is too long, without reading it', async () => {
    const raw = post(`Expect: 100-continue\r\nContent-Length: ${10 * 1024 * 1024}\r\n`, '');
    const answer = await sendRaw(hub.url, raw);
    expect(answer.status).toBe(413);
    expect(answer.all).not.toContain('100 Continue');
  });

  it('gives leave to a body that may come', async () => {
    const text = event.replace('framed-1', 'framed-4');
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const headers = {
        expect: '100-continue',
        'content-type': 'application/json',
        'content-length': text.length,
      };
      const sending = request(`${hub.url}/events`, { method: 'POST', headers });
      sending.on('continue', () => sending.end(text));
      sending.on('response', (response) => resolve(response.resume().statusCode));
      sending.on('error', reject);
      sending.flushHeaders();
    });
    expect(answer).toBe(201);
  });

  it('serves a plain request that offers another protocol', async () => {
    const raw =
      'GET /livez HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n';
    expect((await sendRaw(hub.url, raw, { untilAnswer: true })).status).toBe(200);
  });
});

describe.concurrent('slow requests', () => {
  it('are cut with 408 when their headers do not come', async () => {
    const answer = await sendRaw(hub.url, 'GET / HTTP/1.1\r\nHost: hub\r\nX-Slow: ');
    expect(answer.status).toBe(408);
    expect(answer.head).toContain('application/problem+json');
  });

  it('are cut with 408 when their body is shorter than declared', async () => {
    const answer = await sendRaw(hub.url, post(`Content-Length: ${event.length + 1}\r\n`, event));
    expect(answer.status).toBe(408);
  });
});
