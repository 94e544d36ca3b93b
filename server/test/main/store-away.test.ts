import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { FeedReader } from '../protocols/drivers/feed-reader.ts';
import { type Drivers, openDrivers } from '../protocols/drivers/open-drivers.ts';
import { failureOf } from '../protocols/drivers/protocol-driver.ts';
import { openSocket } from '../protocols/graphql/test-socket.ts';
import { all, GrpcClient } from '../protocols/grpc/grpc-client.ts';
import { ApiKeys, bearing, type MadeKey, untilKnown } from '../support/api-keys.ts';
import { type MongoServer, startMongoServer } from '../support/engines/mongo-server.ts';
import { freshName, sharedRedis } from '../support/engines/shared-engines.ts';
import { describeWithOwnEngines } from '../support/needed-program.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';

const patience = { timeout: 30_000, interval: 50 };

describeWithOwnEngines('a hub that cannot look up who may come in', ['redis', 'mongo'], () => {
  let mongo: MongoServer;
  let hub: TestHub;
  let key: MadeKey;
  let drivers: Drivers;
  let client: GrpcClient;

  beforeAll(async () => {
    mongo = await startMongoServer();
  });
  beforeEach(async () => {
    const log = `${await sharedRedis()}/0?stream=${freshName('events')}`;
    // Shorter than may be set, as nobody waits here for a look that fails.
    hub = await startTestHub({ log, store: mongo.urlOf(freshName('hub')), accessGraceMs: 3_000 });
    client = new GrpcClient(hub.grpcAddress);
  });
  afterEach(async () => {
    await drivers.close();
    client.close();
    await hub.remove();
    if (!mongo.isRunning) await mongo.start();
  });
  afterAll(() => mongo.remove());

  const readiness = () => get(hub.url, '/readyz?verbose');
  const untilShut = () =>
    vi.waitFor(async () => expect((await readiness()).text).toContain('[-]access'), patience);

  it('lets nobody in after the grace, says so where it is asked, and goes on when the store is back', async () => {
    key = await new ApiKeys(hub.settings).make(['admin']);
    await untilKnown(hub.url, key);
    drivers = openDrivers(hub, bearing(key));
    const reader = new FeedReader(drivers.rest, { after: 'start' });
    const first = anInput();
    await drivers.rest.send(first);
    expect((await reader.event()).id).toBe(first.id);
    const ingest = client.duplex('SendEvents', { metadata: bearing(key) });
    const answers = ingest[Symbol.asyncIterator]();
    const ingested = async () => {
      ingest.write({ user_id: 'u', event_type: 'purchase', amount: 1 });
      return (await answers.next()).value;
    };
    expect(await ingested()).toMatchObject({ status: 'success' });

    await mongo.stop();
    await untilShut();

    expect(await readiness()).toMatchObject({
      status: 503,
      text: expect.stringMatching(/\[-\]access failed: who may come in cannot be looked up now/),
    });
    expect((await get(hub.url, '/livez')).status).toBe(200);
    expect((await get(hub.url, '/docs')).status).toBe(200);
    const health = '/grpc.health.v1.Health/Check';
    expect(await client.call(health, { service: '' })).toEqual({ status: 2 });
    for (const shown of [bearing(key), {}]) {
      const answer = await postEvents(hub.url, anInput(), shown);
      expect(answer).toMatchObject({ status: 503, json: { code: 'unavailable' } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      const failure = await client.failure(client.call('ListEvents', {}, { metadata: shown }));
      expect(failure).toMatchObject({ code: status.UNAVAILABLE, reason: 'unavailable' });
      expect(failure.retryDelay).toBeGreaterThan(0);
      const socket = await openSocket(hub.url);
      socket.send({ type: 'connection_init', payload: shown });
      expect((await socket.closed).code).toBe(1013);
    }
    expect((await get(hub.url, '/metrics', bearing(key))).status).toBe(503);
    for (const driver of drivers.all) {
      expect((await failureOf(driver.send(anInput()))).code, driver.name).toBe('unavailable');
    }
    // What was let in before stays, and may do nothing new.
    expect(await ingested()).toMatchObject({ status: 'error', code: 'unavailable' });

    await mongo.start();

    for (const driver of drivers.all) {
      const sent = anInput();
      await vi.waitFor(async () => expect((await driver.send(sent)).id).toBe(sent.id), patience);
    }
    expect(await ingested()).toMatchObject({ status: 'success' });
    ingest.end();
    expect(await all({ [Symbol.asyncIterator]: () => answers })).toEqual([]);
    await vi.waitFor(async () => expect((await readiness()).status).toBe(200), patience);
    expect((await readiness()).text).toContain('[+]access ok: by key or token');
    // The stream that was open has missed nothing.
    expect((await reader.events(5)).length).toBe(5);
    await reader.leave();
  });

  it('is not open to everybody either, though no key was made', async () => {
    drivers = openDrivers(hub);
    expect((await drivers.rest.send(anInput())).status).toBe('success');
    await mongo.stop();
    await untilShut();
    for (const driver of drivers.all) {
      expect((await failureOf(driver.send(anInput()))).code, driver.name).toBe('unavailable');
    }
    await mongo.start();
    for (const driver of drivers.all) {
      const sent = anInput();
      await vi.waitFor(async () => expect((await driver.send(sent)).id).toBe(sent.id), patience);
    }
  });
});
