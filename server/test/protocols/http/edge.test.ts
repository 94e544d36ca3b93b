import { once } from 'node:events';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { brotliCompress, constants, deflate, gzip } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import type { HubOptions } from '../../../src/main.ts';
import { hurriedClock } from '../../support/hurried-clock.ts';
import { openRaw, readAnswer } from '../../support/raw-http.ts';
import { anInput, answerOf, get, postEvents } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await hub?.remove();
  hub = undefined;
});

async function start(options: HubOptions = {}): Promise<TestHub> {
  hub = await startTestHub({}, options);
  return hub;
}

function open(url: string): Socket {
  const socket = openRaw(url);
  sockets.push(socket);
  return socket;
}

/** Writes a little again and again until the hub has closed the connection; resolves with what it said. */
async function trickle(url: string, start: string, drop: string) {
  const socket = open(url);
  socket.write(start);
  const drip = setInterval(() => socket.write(drop), 20);
  const answer = await readAnswer(socket);
  clearInterval(drip);
  return answer;
}

const quick = {
  headersTimeoutMs: 400,
  requestTimeoutMs: 800,
  connectionsCheckingIntervalMs: 50,
};

describe('a hundred clients that never finish', () => {
  const post = 'POST /events HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n';
  it.each([
    ['their heads', 'GET /events HTTP/1.1\r\nHost: hub\r\nX-Slow: ', 'x'],
    ['the line that begins a request', 'GET /', 'x'],
    ['a body by its length', `${post}Content-Length: 100000\r\n\r\n`, ' '],
    ['a body in chunks', `${post}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'],
  ])('%s are cut with 408, and others are answered meanwhile', async (_, begin, drop) => {
    const { url } = await start({ edge: quick });
    const slow = Promise.all(Array.from({ length: 100 }, () => trickle(url, begin, drop)));
    let isOver = false;
    void slow.finally(() => {
      isOver = true;
    });
    let stored = 0;
    while (!isOver) {
      expect((await postEvents(url, anInput())).status).toBe(201);
      stored += 1;
    }
    const answers = await slow;
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([408]));
    expect(answers[0]?.body).toContain('"code":"unreadable"');
    expect(stored).toBeGreaterThan(0);
    expect((await get(url, '/aggregates')).json.event_count).toBe(stored);
  });
});

describe('a client that reads nothing', () => {
  it('of a long answer is cut, also while it goes on sending', async () => {
    const { url } = await start({ clock: hurriedClock({ [limits.subscriberStallMs]: 200 }) });
    const metadata = { text: 'x'.repeat(15_000) };
    for (let batch = 0; batch < 2; batch += 1) {
      const events = Array.from({ length: 500 }, () => anInput({ metadata }));
      expect((await postEvents(url, events)).status).toBe(201);
    }
    const socket = open(url);
    socket.pause();
    socket.write('GET /events?limit=1000 HTTP/1.1\r\nHost: hub\r\n\r\n');
    // What comes back on the write is the only sign of the end to who does not read.
    const drip = setInterval(() => socket.write('G'), 50);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(drip);
    // A short answer, which nobody is cut in the middle of.
    expect((await get(url, '/aggregates?minutes=5')).json.event_count).toBe(1_000);
  });
});

describe('connections beyond the limit', () => {
  it('are closed at once, and taken again when others have gone', async () => {
    const { url } = await start({ edge: { connectionsMax: 5 } });
    const held = Array.from({ length: 5 }, () => open(url));
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    // Each has been accepted once it is answered.
    for (const socket of held) socket.write('GET /livez HTTP/1.1\r\nHost: hub\r\n\r\n');
    await Promise.all(held.map((socket) => once(socket, 'data')));
    const refused = open(url);
    refused.write('GET /livez HTTP/1.1\r\nHost: hub\r\n\r\n');
    expect((await readAnswer(refused)).status).toBe(0);
    const [first] = held;
    first?.destroy();
    await expect
      .poll(async () => (await fetch(`${url}/livez`).catch(() => undefined))?.status)
      .toBe(200);
  });
});

describe('a body that unpacks to more than is taken', () => {
  const mebibyte = 1024 * 1024;
  const bombOf: Record<string, () => Promise<Buffer>> = {
    gzip: () => promisify(gzip)(Buffer.alloc(200 * mebibyte, 32)),
    deflate: () => promisify(deflate)(Buffer.alloc(200 * mebibyte, 32)),
    br: () =>
      promisify(brotliCompress)(Buffer.alloc(200 * mebibyte, 32), {
        params: { [constants.BROTLI_PARAM_QUALITY]: 4 },
      }),
  };

  it.each(Object.keys(bombOf))('is refused on every path that takes one: %s', async (encoding) => {
    const { url } = await start();
    const body = (await bombOf[encoding]?.()) as Buffer<ArrayBuffer>;
    expect(body.length).toBeLessThan(mebibyte);
    const before = process.memoryUsage().arrayBuffers;
    for (const [path, type] of [
      ['/events', 'application/json'],
      ['/events', 'application/x-ndjson'],
      ['/graphql', 'application/json'],
    ] as const) {
      const headers = { 'content-type': type, 'content-encoding': encoding };
      const answer = await answerOf(fetch(url + path, { method: 'POST', headers, body }));
      expect([path, type, answer.status]).toEqual([path, type, 413]);
      expect(answer.text).toContain('too_large');
    }
    // Never near the 200 MiB that one of them unpacks to.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * mebibyte);
  });

  it('within another is refused before the first is unpacked', async () => {
    const { url } = await start();
    const inner = await promisify(gzip)(Buffer.alloc(100 * mebibyte, 32));
    const body = (await promisify(gzip)(inner)) as Buffer<ArrayBuffer>;
    for (const path of ['/events', '/graphql']) {
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip, gzip' };
      const answer = await answerOf(fetch(url + path, { method: 'POST', headers, body }));
      expect([path, answer.status]).toEqual([path, 415]);
    }
  });
});
