import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogLevelSwitch } from '../../../src/base/log-level.ts';
import { createLogger, type Logger } from '../../../src/base/logger.ts';
import type { Settings } from '../../../src/config/settings.ts';
import { ApiKeys, bearing, untilKnown } from '../../support/api-keys.ts';
import { type ManualClock, manualClock } from '../../support/manual-clock.ts';
import { sendRaw } from '../../support/raw-http.ts';
import { answerOf, get } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let clock: ManualClock;
let hub: TestHub;
let logger: Logger;
let lines: Record<string, unknown>[];

beforeEach(() => {
  lines = [];
  clock = manualClock(Date.UTC(2026, 5, 30, 12));
});
afterEach(() => hub.remove());

async function start(overrides: Partial<Settings> = {}): Promise<void> {
  const logLevel = new LogLevelSwitch('info', clock);
  logger = createLogger(logLevel, { write: (line) => lines.push(JSON.parse(line)) });
  hub = await startTestHub(overrides, { logger, logLevel, clock });
  lines.length = 0;
}

function put(body: unknown, headers: Readonly<Record<string, string>> = {}) {
  return answerOf(
    fetch(`${hub.url}/log-level`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  );
}

describe('the log level over HTTP', () => {
  beforeEach(() => start());

  it('is the configured one until somebody changes it', async () => {
    const { status, json, headers } = await get(hub.url, '/log-level');
    expect(status).toBe(200);
    expect(json).toEqual({ level: 'info', configured_level: 'info', until: null });
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('holds at once for all lines of the process, and says who changed it', async () => {
    logger.debug('before');
    const changed = await put({ level: 'debug' });
    expect(changed.status).toBe(200);
    expect(changed.json).toEqual({ level: 'debug', configured_level: 'info', until: null });
    expect((await get(hub.url, '/log-level')).json).toEqual(changed.json);
    logger.debug('after');
    expect(lines).toMatchObject([
      { audit: 'log_level_changed', by: 'anonymous', from: 'info', to: 'debug' },
      { level: 20, msg: 'after' },
    ]);
  });

  it('falls back to the configured one after the time that was said, in a line', async () => {
    const { json } = await put({ level: 'trace', for: '10m' });
    const until = '2026-06-30T12:10:00.000Z';
    expect(json).toEqual({ level: 'trace', configured_level: 'info', until });
    expect(lines).toMatchObject([{ audit: 'log_level_changed', to: 'trace', until }]);
    await clock.advance(600_000);
    expect((await get(hub.url, '/log-level')).json).toMatchObject({ level: 'info', until: null });
    expect(lines.at(-1)).toMatchObject({
      log_level: 'info',
      msg: 'the log level is info again, as configured',
    });
  });

  it('is said to have changed also where one of the two levels writes nothing of it', async () => {
    await put({ level: 'silent' });
    await put({ level: 'error', for: null });
    await put({ level: 'info' });
    expect(lines).toMatchObject([
      { from: 'info', to: 'silent' },
      { from: 'error', to: 'info' },
    ]);
  });

  it.each<[unknown, readonly string[]]>([
    [{}, ['/level required']],
    [{ level: null }, ['/level required']],
    [{ level: 'loud' }, ['/level log_level']],
    [{ level: 'INFO' }, ['/level log_level']],
    [{ level: 20 }, ['/level expected_string']],
    [{ level: 'debug', for: 'soon' }, ['/for duration']],
    [{ level: 'debug', for: '0s' }, ['/for duration']],
    [{ level: 'debug', for: '8d' }, ['/for duration']],
    [{ level: 'debug', for: 600 }, ['/for expected_string']],
    [{ level: 'debug', until: 'x' }, ['/until unknown_field']],
    [{ level: 'x', for: 'y' }, ['/level log_level', '/for duration']],
    [['debug'], [' expected_object']],
    ['"debug"', [' expected_object']],
    ['null', [' expected_object']],
  ])('is not changed by %j, which names the field', async (body, faults) => {
    const { status, json } = await put(body);
    expect(status).toBe(422);
    expect(json.code).toBe('invalid');
    const found = json.errors.map(
      ({ pointer, code }: { pointer: string; code: string }) => `${pointer} ${code}`,
    );
    expect(found).toEqual(faults);
    expect((await get(hub.url, '/log-level')).json.level).toBe('info');
    expect(lines).toEqual([]);
  });

  it.each([
    ['{', {}, 400],
    ['', {}, 400],
    ['{"level":"debug"}', { 'content-type': 'text/plain' }, 415],
    [`{"level":"debug","x":"${'y'.repeat(1024 * 1024)}"}`, {}, 413],
  ])('refuses another body (%#)', async (body, headers, status) => {
    expect((await put(body, headers)).status).toBe(status);
    expect((await get(hub.url, '/log-level')).json.level).toBe('info');
  });

  it('takes no other methods and no parameters', async () => {
    const deleted = await fetch(`${hub.url}/log-level`, { method: 'DELETE' });
    expect(deleted.status).toBe(405);
    expect(deleted.headers.get('allow')).toBe('GET, HEAD, PUT');
    expect((await get(hub.url, '/log-level?level=debug')).status).toBe(422);
  });
});

describe('the log level of a hub', () => {
  it('is changed on one that listens here by nobody who came by a foreign name', async () => {
    await start();
    const body = '{"level":"silent"}';
    const answer = await sendRaw(
      hub.url,
      `PUT /log-level HTTP/1.1\r\nhost: shop.example.com\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    );
    expect(answer.status).toBe(403);
    expect((await get(hub.url, '/log-level')).json.level).toBe('info');
  });

  it('is changed on one that listens here by no page of the web', async () => {
    await start();
    const body = '{"level":"silent"}';
    const answer = await sendRaw(
      hub.url,
      `PUT /log-level HTTP/1.1\r\nhost: localhost\r\norigin: https://shop.example.com\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    );
    expect(answer.status).toBe(403);
    expect((await get(hub.url, '/log-level')).json.level).toBe('info');
  });

  it('that is open to others is nobody’s business without a credential', async () => {
    await start({ allowAnonymous: true });
    expect((await get(hub.url, '/events')).status).toBe(200);
    for (const answer of [await put({ level: 'silent' }), await get(hub.url, '/log-level')]) {
      expect(answer.status).toBe(403);
      expect(answer.json.detail).toContain('make a key with the scope admin');
    }
    expect(lines).toEqual([]);
  });

  it('with keys is changed by an administrator, whose name is in the line', async () => {
    await start();
    const keys = new ApiKeys(hub.settings);
    const reader = await keys.make(['events:read', 'metrics:read']);
    const admin = await keys.make(['admin'], { name: 'ops' });
    await clock.advance(1_000);
    await untilKnown(hub.url, admin);
    expect((await put({ level: 'debug' })).status).toBe(401);
    expect((await put({ level: 'debug' }, bearing(reader))).status).toBe(403);
    expect((await put({ level: 'debug' }, bearing(admin))).status).toBe(200);
    expect(lines.at(-1)).toMatchObject({ audit: 'log_level_changed', by: 'key ops', to: 'debug' });
  });
});
