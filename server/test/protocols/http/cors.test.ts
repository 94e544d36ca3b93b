import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRaw } from '../../support/raw-http.ts';
import { anInput, answerOf, get, type RestAnswer } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { testSettings } from '../../support/test-settings.ts';
import { openSocket } from '../graphql/test-socket.ts';

const shop = 'https://shop.example';
const evil = 'https://evil.example';
const hubs: Record<'closed' | 'shop' | 'open', TestHub | undefined> = {
  closed: undefined,
  shop: undefined,
  open: undefined,
};

async function start(corsOrigins: readonly string[]): Promise<TestHub> {
  const { http } = testSettings('/unused');
  return await startTestHub({ http: { ...http, corsOrigins } });
}

beforeAll(async () => {
  hubs.closed = await start([]);
  hubs.shop = await start([shop, 'http://localhost:3000']);
  hubs.open = await start(['*']);
});
afterAll(async () => {
  for (const hub of Object.values(hubs)) await hub?.remove();
});

const urlOf = (name: keyof typeof hubs) => hubs[name]?.url ?? '';

/** Request headers that fetch would not let out, so by hand. */
async function preflight(
  name: keyof typeof hubs,
  path: string,
  origin: string,
): Promise<Awaited<ReturnType<typeof sendRaw>>> {
  return await sendRaw(
    urlOf(name),
    `OPTIONS ${path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nOrigin: ${origin}\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n\r\n`,
  );
}

const corsHeaders = ({ headers }: RestAnswer) =>
  [...headers.keys()].filter((name) => name.startsWith('access-control-'));

describe('without http.corsOrigins', () => {
  it('no answer says anything to other origins, and OPTIONS is refused', async () => {
    const answer = await get(urlOf('closed'), '/events', { origin: shop });
    expect(corsHeaders(answer)).toEqual([]);
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin');
    const asked = await preflight('closed', '/events', shop);
    expect(asked.status).toBe(405);
    expect(asked.head).not.toContain('access-control-');
    expect(asked.head).toContain('allow: get, head, post');
  });
});

describe('a page of a listed origin', () => {
  it.each(['/events', '/graphql', '/events/stream', '/aggregates', '/events/some-id'])(
    'may ask before it sends to %s, and is told what it may send',
    async (path) => {
      const { status, head } = await preflight('shop', path, shop);
      expect(status).toBe(204);
      expect(head).toContain(`access-control-allow-origin: ${shop}`);
      expect(head).toMatch(/access-control-allow-methods: get, head(, post)?\r/);
      const [, headers = ''] = /access-control-allow-headers: ([^\r]*)/.exec(head) ?? [];
      expect(headers.split(', ')).toEqual(
        expect.arrayContaining([
          'authorization',
          'content-type',
          'idempotency-key',
          'last-event-id',
          'traceparent',
          'x-api-key',
          'x-request-id',
        ]),
      );
      expect(head).toMatch(/access-control-max-age: \d+/);
      expect(head).toContain('vary: origin');
      expect(head).not.toContain('access-control-allow-credentials');
    },
  );

  it.each([
    ['a stored event', () => send(anInput())],
    ['a refused event', () => send({ nonsense: 1 })],
    ['a listing', () => get(urlOf('shop'), '/events', { origin: shop })],
    ['a path without anything', () => get(urlOf('shop'), '/nothing', { origin: shop })],
    ['the history', () => get(urlOf('shop'), historyPath, { origin: shop })],
  ])('may read %s', async (_, asking) => {
    const answer = await asking();
    expect(answer.headers.get('access-control-allow-origin')).toBe(shop);
    expect(answer.headers.get('access-control-expose-headers')?.split(', ')).toEqual(
      expect.arrayContaining([
        'link',
        'location',
        'ratelimit',
        'ratelimit-policy',
        'retry-after',
        'x-request-id',
      ]),
    );
    expect(answer.headers.get('vary')?.split(', ')).toContain('origin');
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
  });

  it('keeps what an answer varies by besides', async () => {
    const { headers } = await get(urlOf('shop'), '/events', { origin: shop, accept: 'text/csv' });
    expect(headers.get('vary')).toBe('accept, origin');
  });

  it('may open a WebSocket', async () => {
    const socket = await openSocket(urlOf('shop'), { origin: shop });
    socket.send({ type: 'connection_init' });
    expect(await socket.next()).toEqual({ type: 'connection_ack' });
    socket.socket.terminate();
  });

  const historyPath = '/events/stream?after=start&follow=false';
  const send = (event: unknown) =>
    answerOf(
      fetch(`${urlOf('shop')}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: shop },
        body: JSON.stringify(event),
      }),
    );
});

describe('a page of another origin', () => {
  it.each([
    evil,
    'null',
    'http://shop.example',
    'https://shop.example:444',
    'https://shop.example.evil.example',
  ])('is told nothing: %s', async (origin) => {
    const answer = await get(urlOf('shop'), '/events', { origin });
    expect(answer.status).toBe(200);
    expect(corsHeaders(answer)).toEqual([]);
    expect(answer.headers.get('vary')).toContain('origin');
    const asked = await preflight('shop', '/events', origin);
    expect(asked.status).toBe(403);
    expect(asked.body).toContain('"code":"forbidden"');
    expect(asked.head).not.toContain('access-control-');
    await expect(openSocket(urlOf('shop'), { origin })).rejects.toThrow('403');
  });

  it('is every one where all may ask, and never with credentials of a browser', async () => {
    const answer = await get(urlOf('open'), '/events', { origin: evil });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    const asked = await preflight('open', '/events', evil);
    expect([asked.status, asked.head]).toEqual([
      204,
      expect.stringContaining('access-control-allow-origin: *'),
    ]);
  });
});

describe('OPTIONS that is no question of a browser', () => {
  it.each(['', `Origin: ${shop}\r\n`, 'Access-Control-Request-Method: POST\r\n'])(
    'is refused as ever: "%s"',
    async (header) => {
      const raw = `OPTIONS /events HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n${header}\r\n`;
      expect((await sendRaw(urlOf('shop'), raw)).status).toBe(405);
    },
  );
});
