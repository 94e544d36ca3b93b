import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRaw } from '../../support/raw-http.ts';
import { openStream } from '../../support/read-stream.ts';
import { anInput, get, postEvents } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub;
let id: string;
beforeAll(async () => {
  hub = await startTestHub();
  const stored = await postEvents(hub.url, anInput());
  id = stored.json.id;
});
afterAll(() => hub.remove());

const everywhere = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

function expectSafe(headers: Headers): void {
  for (const [name, value] of Object.entries(everywhere)) {
    expect([name, headers.get(name)]).toEqual([name, value]);
  }
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(headers.get('strict-transport-security')).toBeNull();
}

const html = { accept: 'text/html' };
const graphql = { accept: 'application/json' };
const asked = (path: string, status: number, headers: Readonly<Record<string, string>> = {}) => ({
  path,
  status,
  headers,
});

const everyKind = {
  'the first page': asked('/', 200, html),
  'the reference': asked('/docs', 200, html),
  'the errors': asked('/docs/errors', 200, html),
  'the playground': asked('/graphql', 200, html),
  'an asset': asked('/docs/assets/pages.css', 200),
  'an asset of the playground': asked('/graphql/assets/graphiql.css', 200),
  'the icon': asked('/docs/assets/icon.svg', 200),
  OpenAPI: asked('/openapi.json', 200),
  'a listing': asked('/events', 200),
  lines: asked('/events', 200, { accept: 'application/x-ndjson' }),
  CSV: asked('/events', 200, { accept: 'text/csv' }),
  sums: asked('/aggregates', 200),
  'a series': asked('/aggregates/series?minutes=5', 200),
  'a history': asked('/events/stream?after=start&follow=false', 200),
  'a GraphQL answer': asked('/graphql?query=%7B__typename%7D', 200, graphql),
  'a GraphQL stream': asked('/graphql?query=%7B__typename%7D', 200, {
    accept: 'text/event-stream',
  }),
  'a refused operation': asked('/graphql?query=%7B', 400, {
    accept: 'application/graphql-response+json',
  }),
  liveness: asked('/livez', 200),
  readiness: asked('/readyz?verbose', 200),
  figures: asked('/metrics', 200),
  nothing: asked('/nothing', 404),
  'a bad parameter': asked('/events?limit=x', 422),
  'a wrong method': asked('/events/stream', 405),
};

describe('every answer', () => {
  it.each(Object.entries(everyKind))(
    'tells browsers to keep to what it is: %s',
    async (_, { path, status, headers }) => {
      const method = status === 405 ? 'POST' : 'GET';
      const response = await fetch(hub.url + path, { method, headers });
      await response.body?.cancel();
      expect(response.status).toBe(status);
      expectSafe(response.headers);
    },
  );

  it('does so where it is written another way: created, found, redirected, known', async () => {
    expectSafe((await postEvents(hub.url, anInput())).headers);
    expectSafe((await postEvents(hub.url, [anInput(), {}])).headers);
    expectSafe((await get(hub.url, `/events/${id}`)).headers);
    expectSafe((await fetch(`${hub.url}/favicon.ico`, { redirect: 'manual' })).headers);
    const known = await get(hub.url, '/docs/assets/pages.css');
    const etag = known.headers.get('etag') ?? '';
    const again = await get(hub.url, '/docs/assets/pages.css', { 'if-none-match': etag });
    expect(again.status).toBe(304);
    expectSafe(again.headers);
    const stream = await openStream(`${hub.url}/events/stream`);
    expectSafe(stream.response.headers);
    await stream.close();
  });

  it.each([
    ['hello\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['GET / HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nExpect: coffee\r\n\r\n', 417],
  ])('does so to what is no request', async (raw, status) => {
    const answer = await sendRaw(hub.url, raw);
    expect(answer.status).toBe(status);
    for (const [name, value] of Object.entries(everywhere)) {
      expect(answer.head).toContain(`${name}: ${value}`);
    }
  });

  it('has each of them once', async () => {
    for (const raw of [
      'GET / HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n',
      'GET /livez HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n',
      `POST /events HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 67\r\n\r\n{"id":"once-1","user_id":"u1","event_type":"purchase","amount":"1"} `,
    ]) {
      const { head } = await sendRaw(hub.url, raw);
      const names = head.split('\r\n').map((line) => line.split(':')[0]);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

describe('the policy of a page', () => {
  const policyOf = async (path: string) =>
    (await get(hub.url, path, html)).headers.get('content-security-policy') ?? '';

  it.each(['/', '/docs/errors', '/docs', '/graphql'])('runs no inline script: %s', async (path) => {
    expect(await policyOf(path)).toContain("script-src 'self';");
  });

  it('allows inline styles only where a package needs them', async () => {
    for (const path of ['/', '/docs/errors']) expect(await policyOf(path)).not.toContain('unsafe');
    for (const path of ['/docs', '/graphql']) {
      expect(await policyOf(path)).toContain("style-src 'self' 'unsafe-inline';");
    }
  });
});
