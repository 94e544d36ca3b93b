import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { parseEventTypes } from '../../src/event/event-rules.ts';
import { openDrivers } from '../protocols/drivers/open-drivers.ts';
import type { ProtocolDriver, Shown } from '../protocols/drivers/protocol-driver.ts';
import { type MongoServer, startMongoServer } from '../support/engines/mongo-server.ts';
import { type RedisServer, startRedisServer } from '../support/engines/redis-server.ts';
import { freshName } from '../support/engines/shared-engines.ts';
import { describeWithOwnEngines } from '../support/needed-program.ts';
import { command } from '../support/redis-harness.ts';
import { runCli } from '../support/run-cli.ts';
import { signWithSecret } from '../support/signing-key.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { goodClaims, tokenSettings } from '../support/token-claims.ts';

/** Tokens need no store, and so bring events in before it was ever read who else may. */
const secret = 'a secret of more than thirty-two bytes';
const nowS = Math.floor(Date.now() / 1_000);
const authorization = `Bearer ${signWithSecret(
  secret,
  goodClaims({ scope: 'admin', iat: nowS - 60, exp: nowS + 3_600 }),
)}`;

const patience = { timeout: 30_000, interval: 50 };

describeWithOwnEngines('a hub whose engines are away', ['redis', 'mongo'], () => {
  let redis: RedisServer;
  let mongo: MongoServer;
  let hubs: TestHub[] = [];

  beforeAll(async () => {
    [redis, mongo] = await Promise.all([startRedisServer(), startMongoServer()]);
  });
  afterEach(async () => {
    await Promise.all(hubs.map((hub) => hub.remove()));
    hubs = [];
    if (!redis.isRunning) await redis.start();
    if (!mongo.isRunning) await mongo.start();
  });
  afterAll(() => Promise.all([redis.remove(), mongo.remove()]));

  const someEngines = () => ({
    log: `${redis.url}/0?stream=${freshName('events')}`,
    store: mongo.urlOf(freshName('hub')),
  });
  const start = async (overrides: Parameters<typeof startTestHub>[0], shown: Shown = {}) => {
    const hub = await startTestHub(overrides);
    hubs.push(hub);
    return { hub, drivers: openDrivers(hub, shown) };
  };
  const event = () => ({ id: freshName('e'), user_id: 'u', event_type: 'purchase', amount: '1' });
  const refusals = async (
    drivers: readonly ProtocolDriver[],
    call: (driver: ProtocolDriver) => Promise<unknown>,
  ) => {
    const results = await Promise.allSettled(drivers.map(call));
    return results.map((result) =>
      result.status === 'rejected' ? result.reason.failure?.code : 'done',
    );
  };
  const readiness = async ({ url }: TestHub) => {
    const response = await fetch(`${url}/readyz?verbose`);
    return { status: response.status, text: await response.text() };
  };

  it('starts and takes events by token while only MongoDB is down, and archives them when it is back', async () => {
    const engines = someEngines();
    await mongo.stop();
    const tokens = { ...tokenSettings, keys: { kind: 'secret', secret } } as const;
    const { hub, drivers } = await start({ ...engines, auth: { tokens } }, { authorization });
    const sent = drivers.all.map(event);
    const answers = await Promise.all(drivers.all.map((each, at) => each.send(sent[at] ?? {})));
    expect(answers.map(({ status }) => status)).toEqual(['success', 'success', 'success']);
    expect(await refusals(drivers.all, (each) => each.get('e'))).toEqual(
      Array(3).fill('unavailable'),
    );
    const response = await fetch(`${hub.url}/aggregates`, { headers: { authorization } });
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await readiness(hub)).toMatchObject({
      status: 200,
      text: expect.stringContaining('[-]store'),
    });
    await mongo.start();
    for (const [at, each] of drivers.all.entries()) {
      await vi.waitFor(
        async () => expect((await each.get(sent[at]?.id ?? '')).id).toBe(sent[at]?.id),
        patience,
      );
    }
    expect((await readiness(hub)).text).toContain('[+]store');
    await drivers.close();
  });

  it('starts and reads while only Redis is down, and takes events when it is back', async () => {
    const engines = someEngines();
    const before = await start(engines);
    const known = event();
    const { position } = await before.drivers.rest.send(known);
    await before.drivers.rest.get(known.id, position);
    await redis.stop();
    await vi.waitFor(async () => expect((await readiness(before.hub)).status).toBe(503), patience);
    const { hub, drivers } = await start(engines);
    for (const each of [...before.drivers.all, ...drivers.all]) {
      expect((await each.get(known.id)).id).toBe(known.id);
    }
    expect(await refusals(drivers.all, (each) => each.send(event()))).toEqual(
      Array(3).fill('unavailable'),
    );
    const refused = await fetch(`${hub.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(event()),
    });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await readiness(hub)).toMatchObject({
      status: 503,
      text: expect.stringContaining('[-]log'),
    });
    await redis.start();
    for (const each of [...before.drivers.all, ...drivers.all]) {
      const sent = event();
      await vi.waitFor(async () => expect((await each.send(sent)).id).toBe(sent.id), patience);
    }
    await vi.waitFor(async () => expect((await readiness(hub)).status).toBe(200), patience);
    await Promise.all([before.drivers.close(), drivers.close()]);
  });

  it('is not ready as a reader without MongoDB', async () => {
    const engines = someEngines();
    await mongo.stop();
    const hub = await startTestHub({ ...engines, roles: new Set(['readers']) });
    hubs.push(hub);
    expect(await readiness(hub)).toMatchObject({ status: 503 });
    await mongo.start();
    await vi.waitFor(async () => expect((await readiness(hub)).status).toBe(200), patience);
  });

  it('is refused for good once MongoDB is back and has agreed on something else', async () => {
    const engines = someEngines();
    const first = await start(engines);
    await first.hub.stop();
    await mongo.stop();
    const { hub } = await start({ ...engines, eventTypes: parseEventTypes('sale:+') });
    await mongo.start();
    expect(await hub.refused).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('event-hub config adopt'),
    });
    const adopted = await runCli(['config', 'adopt', '--event-types=sale:+'], {
      env: envOf(engines),
    });
    expect(adopted).toMatchObject({ code: 0 });
    await start({ ...engines, eventTypes: parseEventTypes('sale:+') });
    await expect(start(engines)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is refused at once by weak settings and by a server without transactions, with exit code 2', async () => {
    const [weak, alone] = await Promise.all([
      startRedisServer({ settings: { appendfsync: 'everysec' } }),
      startMongoServer({ standalone: true }),
    ]);
    const ports = ['--http-port=0', '--grpc-port=0'];
    const results = await Promise.all([
      runCli(['serve', ...ports], { env: envOf({ ...someEngines(), log: weak.url }) }),
      runCli(['serve', ...ports], { env: envOf({ ...someEngines(), store: alone.urlOf('hub') }) }),
    ]);
    expect(results.map(({ code }) => code)).toEqual([2, 2]);
    expect(results[0]?.stderr).toContain('appendfsync');
    expect(results[1]?.stderr).toContain('--replSet');
    await Promise.all([weak.remove(), alone.remove()]);
  });

  it('is refused by a password that either engine does not take, with exit code 2', async () => {
    const [locked, alone] = await Promise.all([
      startRedisServer(),
      startMongoServer({ standalone: true, args: ['--auth'] }),
    ]);
    const wrong = (url: string) => url.replace('://', '://hub:wrong@');
    const ports = ['--http-port=0', '--grpc-port=0'];
    const results = await Promise.all(
      [
        { ...someEngines(), log: wrong(locked.url) },
        { ...someEngines(), store: wrong(alone.urlOf('hub')) },
      ].map((engines) => runCli(['serve', ...ports], { env: envOf(engines) })),
    );
    for (const { code, stderr } of results) {
      expect(code).toBe(2);
      expect(stderr).toContain('refuses the user or the password');
      expect(stderr).not.toContain('wrong');
    }
    await Promise.all([locked.remove(), alone.remove()]);
  });

  it('is refused by such a password for good once Redis is back', async () => {
    const log = redis.url.replace('://', '://nobody:wrong@');
    await redis.stop();
    const { hub } = await start({ ...someEngines(), log });
    await redis.start();
    expect(await hub.refused).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('refuses the user or the password'),
    });
  });

  it('takes nothing and is not ready on a log that was emptied, until that is adopted', async () => {
    const engines = someEngines();
    const first = await start(engines);
    const known = event();
    const { position } = await first.drivers.rest.send(known);
    await first.drivers.rest.get(known.id, position);
    await first.hub.stop();
    await command(redis.url, 'FLUSHALL');
    const { hub, drivers } = await start(engines);
    const failed = { status: 503, text: expect.stringContaining('event-hub log adopt') };
    expect(await readiness(hub)).toMatchObject(failed);
    expect(await refusals(drivers.all, (each) => each.send(event()))).toEqual(
      Array(3).fill('unavailable'),
    );
    expect((await drivers.rest.get(known.id)).id).toBe(known.id);
    const examined = await runCli(['doctor', '--http-port=0', '--roles=readers'], {
      env: envOf(engines),
    });
    expect(examined.code).toBe(1);
    expect(examined.stdout).toMatch(/continuity .*event-hub log adopt/);
    expect((await runCli(['log', 'adopt'], { env: envOf(engines) })).code).toBe(2);
    const adopted = await runCli(['log', 'adopt', '--yes'], { env: envOf(engines) });
    expect(adopted).toMatchObject({ code: 0 });
    await vi.waitFor(async () => expect((await readiness(hub)).status).toBe(200), patience);
    expect((await drivers.rest.send(known)).status).toBe('duplicate');
    const fresh = event();
    const sent = await drivers.rest.send(fresh);
    expect((await drivers.rest.get(fresh.id, sent.position)).id).toBe(fresh.id);
    await Promise.all([first.drivers.close(), drivers.close()]);
  });
});

function envOf({ log, store }: { readonly log: string; readonly store: string }) {
  return { EVENT_HUB_LOG: log, EVENT_HUB_STORE: store };
}
