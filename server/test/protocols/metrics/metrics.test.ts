import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anInput, get, postEvents } from '../../support/rest-calls.ts';
import { runCli } from '../../support/run-cli.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.remove());

describe('health', () => {
  it('of the process says nothing of the engines', async () => {
    const answer = await get(hub.url, '/livez');
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ status: 'ok' });
  });

  it.each(['/readyz', '/healthz'])('at %s names the durability', async (path) => {
    const answer = await get(hub.url, path);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ status: 'ok', durability: hub.durability });
    expect(answer.json.parts).toContainEqual(expect.objectContaining({ name: 'log', ok: true }));
  });

  it('lists its parts when asked to', async () => {
    const { text, headers } = await get(hub.url, '/readyz?verbose');
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(text).toMatch(/^\[\+\]log ok/m);
    expect(text).toMatch(/^\[\+\]store ok/m);
    expect(text).toContain(hub.durability);
  });

  it('refuses parameters it does not have', async () => {
    expect((await get(hub.url, '/readyz?verbos')).status).toBe(422);
  });
});

describe('metrics', () => {
  const read = async () => (await get(hub.url, '/metrics')).text;

  it('count events by protocol, type and result', async () => {
    const input = anInput();
    await postEvents(hub.url, [input, input, { id: 'x' }]);
    const text = await read();
    const line = (type: string, result: string) =>
      `event_hub_events_total{protocol="rest",event_type="${type}",result="${result}"} 1`;
    expect(text).toContain(line('purchase', 'accepted'));
    expect(text).toContain(line('purchase', 'duplicate'));
    expect(text).toContain(line('unknown', 'rejected'));
  });

  it('count requests by route, never by path', async () => {
    await get(hub.url, '/events/none-1');
    await get(hub.url, '/nothing/at/all');
    const text = await read();
    expect(text).toContain(
      'event_hub_http_requests_total{method="GET",route="/events/:id",status="404"} 1',
    );
    expect(text).toContain(
      'event_hub_http_requests_total{method="GET",route="none",status="404"} 1',
    );
    expect(text).not.toContain('none-1');
  });

  it('measure how long events take', async () => {
    const text = await read();
    expect(text).toMatch(
      /event_hub_ingest_duration_seconds_bucket\{protocol="rest",le="\+Inf"\} [1-9]/,
    );
    expect(text).toMatch(/event_hub_append_duration_seconds_count [1-9]/);
  });

  it('tell the version and the process', async () => {
    const answer = await get(hub.url, '/metrics');
    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(answer.text).toMatch(/event_hub_build_info\{version="\d/);
    expect(answer.text).toContain('process_resident_memory_bytes');
  });

  it('have a help text and one type for each name', async () => {
    const names = [...(await read()).matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(20);
  });
});

describe('metrics on a port of their own', () => {
  it('are given to whoever reaches it, and nothing else is there, while the HTTP port asks for a scope', async () => {
    const host = '127.0.0.1';
    const own = await startTestHub({ metrics: { host, port: 0 } });
    const log = `--log=${own.settings.log}`;
    const makeKey = async (scopes: string) => {
      const name = `--name=${scopes.replace(':', '-')}`;
      const made = await runCli(['keys', 'create', name, `--scopes=${scopes}`, log]);
      return made.stdout.trim();
    };
    try {
      const [reader, scraper] = [await makeKey('events:read'), await makeKey('metrics:read')];
      const statusOf = async (key?: string) => {
        const headers = key === undefined ? {} : { 'x-api-key': key };
        return (await fetch(`${own.url}/metrics`, { headers })).status;
      };
      await expect.poll(() => statusOf(scraper)).toBe(200);
      expect(await statusOf()).toBe(401);
      expect(await statusOf(reader)).toBe(403);
      expect(own.metricsUrl).not.toBe(own.url);
      expect((await get(own.metricsUrl, '/metrics')).text).toContain('event_hub_build_info');
      expect((await get(own.metricsUrl, '/events')).status).toBe(404);
    } finally {
      await own.remove();
    }
  });
});
