import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRaw } from '../../support/raw-http.ts';
import { answerOf, get, postEvents } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.remove());

describe('routes', () => {
  it.each([
    ['GET', '/nothing', 404],
    ['GET', '/events/', 404],
    ['GET', '//events', 404],
    ['GET', '/v1/..;/events', 404],
    ['GET', '/../events', 404],
    ['GET', '/%2e%2e/events', 404],
    ['GET', '/events/%2e%2e', 404],
    ['GET', '/events/%', 400],
    ['GET', '/events/%ff', 400],
    ['GET', '/events/a%00b', 404],
    ['GET', `/events/${'x'.repeat(9_000)}`, 400],
    ['GET', `/events?cursor=${'x'.repeat(9_000)}`, 400],
    ['GET', '/events?limit=%', 400],
    ['OPTIONS', '*', 404],
  ])('answer %s %s with a problem', async (method, path, status) => {
    const raw = `${method} ${path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n`;
    const answer = await sendRaw(hub.url, raw);
    expect(answer.status).toBe(status);
    expect(answer.head).toContain('content-type: application/problem+json');
    expect(JSON.parse(answer.body).type).toMatch(/^\/docs\/errors#/);
  });

  it.each([
    ['DELETE', '/events', 'GET, HEAD, POST'],
    ['PUT', '/events/x', 'GET, HEAD'],
    ['POST', '/aggregates', 'GET, HEAD'],
    ['OPTIONS', '/events', 'GET, HEAD, POST'],
    ['POST', '/events/stream', 'GET, HEAD'],
  ])('refuse %s %s and say what is allowed', async (method, path, allow) => {
    const answer = await answerOf(fetch(hub.url + path, { method }));
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allow);
    expect(answer.json.code).toBe('method_not_allowed');
  });

  it.each(['/events', '/aggregates', '/readyz', '/docs', '/openapi.json', '/events/stream'])(
    'answer HEAD %s like GET without the body',
    async (path) => {
      const answer = await answerOf(fetch(hub.url + path, { method: 'HEAD' }));
      expect(answer.status).toBe(200);
      expect(answer.text).toBe('');
    },
  );

  it('take the absolute form of a proxy', async () => {
    const raw = 'GET http://hub/events/none HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n';
    expect(JSON.parse((await sendRaw(hub.url, raw)).body).detail).not.toContain('nothing at');
  });

  it('answer the API with headers that keep it from caches and sniffers', async () => {
    for (const answer of [
      await get(hub.url, '/events'),
      await get(hub.url, '/nothing'),
      await postEvents(hub.url, '{}'),
      await get(hub.url, '/readyz'),
    ]) {
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('keep a connection for the next request after a refused one', async () => {
    const bad = 'POST /nothing HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\n{}';
    const good = 'GET /livez HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n';
    const { all } = await sendRaw(hub.url, bad + good);
    expect(all.match(/HTTP\/1\.1 (404|200)/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 200']);
  });
});
