import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import type { EventStore } from '../../src/store/event-store.ts';
import { openMongoStore } from '../../src/store/mongo/mongo-store.ts';
import { openDrivers } from '../protocols/drivers/open-drivers.ts';
import { type HubProcess, startHubProcess } from '../support/hub-process.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { command } from '../support/redis-harness.ts';
import { serverEngines } from '../support/server-settings.ts';

const patience = { timeout: 30_000, interval: 50 };
/** From the moment when a reader stops or freezes. */
const replacedWithinMs = 10_000;

describeWithEngines('the roles of several processes', ['redis', 'mongo'], () => {
  let engines: Pick<Settings, 'log' | 'store'>;
  let hubs: HubProcess[];
  let store: EventStore;

  beforeEach(async () => {
    engines = await serverEngines();
    hubs = [];
  });
  afterEach(async () => {
    await Promise.all(hubs.map((hub) => hub.stop('SIGKILL')));
    await store?.close();
  });

  const start = async (roles: string) => {
    const hub = await startHubProcess(engines, roles);
    hubs.push(hub);
    return hub;
  };
  const openStore = async () => {
    store = await openMongoStore(engines.store, { exclusive: false });
  };
  const send = async (hub: HubProcess, count: number) => {
    const events = Array.from({ length: count }, () => ({
      user_id: 'u',
      event_type: 'purchase',
      amount: '1.5',
      currency: 'EUR',
    }));
    const response = await fetch(`${hub.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(events),
    });
    expect(response.status).toBe(201);
    const { results } = (await response.json()) as { results: { position: string }[] };
    return results.at(-1)?.position ?? '';
  };
  const counted = async (hub: HubProcess, position: string) => {
    const response = await fetch(`${hub.url}/aggregates?minutes=60&at_least=${position}`);
    const totals = (await response.json()) as { event_count?: number };
    return totals.event_count;
  };
  const activeOf = async (readers: readonly HubProcess[]) => {
    const values = await Promise.all(readers.map((reader) => reader.metric('archive_active')));
    const active = readers.filter((_, index) => values[index] === 1);
    expect(active).toHaveLength(1);
    return active[0] as HubProcess;
  };

  it('serve what they are for, and health and metrics each', async () => {
    const [http, grpc, readers] = await Promise.all(['http', 'grpc', 'readers'].map(start));
    if (http === undefined || grpc === undefined || readers === undefined) throw new Error('none');
    const line = /^event-hub \S+ /;
    expect(http.startLine).toMatch(new RegExp(`${line.source}serves http://\\S+; roles http; log`));
    expect(grpc.startLine).toMatch(
      new RegExp(
        `${line.source}serves gRPC on \\S+, health and metrics on http://\\S+; roles grpc; `,
      ),
    );
    expect(readers.startLine).toMatch(
      new RegExp(`${line.source}serves health and metrics on http://\\S+; roles readers; `),
    );
    for (const hub of [http, grpc, readers]) {
      for (const path of ['livez', 'readyz', 'healthz', 'metrics', 'log-level']) {
        expect((await fetch(`${hub.url}/${path}`)).status).toBe(200);
      }
      const expected = hub === http ? 200 : 404;
      for (const path of ['', 'events', 'aggregates', 'docs', 'openapi.json']) {
        expect((await fetch(`${hub.url}/${path}`)).status).toBe(expected);
      }
    }
    const drivers = openDrivers({ url: http.url, grpcAddress: grpc.grpcAddress });
    const event = { id: 'e-1', user_id: 'u', event_type: 'purchase', amount: '10' };
    for (const driver of drivers.all) {
      const { id, position } = await driver.send({ ...event, id: `${event.id}${driver.name}` });
      for (const reader of drivers.all) expect((await reader.get(id, position)).id).toBe(id);
    }
    await drivers.close();
    expect(await Promise.all([http, grpc, readers].map((hub) => hub.stop()))).toEqual([0, 0, 0]);
  });

  it('have one archive reader, replaced within 10 s when it is frozen, and when it wakes it writes nothing', async () => {
    const [http, first, second] = await Promise.all(['http', 'readers', 'readers'].map(start));
    if (http === undefined || first === undefined || second === undefined) throw new Error('none');
    const before = await send(http, 50);
    expect(await counted(http, before)).toBe(50);
    const frozen = await activeOf([first, second]);
    const other = frozen === first ? second : first;
    const recorded = await frozen.metric('archived_entries_total');
    process.kill(frozen.pid, 'SIGSTOP');
    const stoppedAt = performance.now();
    const position = await send(http, 500);
    await vi.waitFor(async () => expect(await other.metric('archive_active')).toBe(1), patience);
    expect(performance.now() - stoppedAt).toBeLessThan(replacedWithinMs);
    expect(await counted(http, position)).toBe(550);
    process.kill(frozen.pid, 'SIGCONT');
    await vi.waitFor(async () => expect(await frozen.metric('archive_active')).toBe(0), patience);
    const after = await send(http, 100);
    expect(await counted(http, after)).toBe(650);
    expect(await frozen.metric('archived_entries_total')).toBe(recorded);
    await openStore();
    expect(await store.verify()).toEqual([]);
  });

  it('hand over at once when the reader stops, and within 10 s when it is killed', async () => {
    const [http, first, second] = await Promise.all(['http', 'readers', 'readers'].map(start));
    if (http === undefined || first === undefined || second === undefined) throw new Error('none');
    await counted(http, await send(http, 10));
    const leaving = await activeOf([first, second]);
    expect(await leaving.stop()).toBe(0);
    expect(await counted(http, await send(http, 10))).toBe(20);
    const staying = leaving === first ? second : first;
    const third = await start('readers');
    expect(await activeOf([staying, third])).toBe(staying);
    await staying.stop('SIGKILL');
    const killedAt = performance.now();
    const position = await send(http, 10);
    await vi.waitFor(async () => expect(await third.metric('archive_active')).toBe(1), patience);
    expect(performance.now() - killedAt).toBeLessThan(replacedWithinMs);
    expect(await counted(http, position)).toBe(30);
  });

  it('puts an entry of the stream that no hub wrote aside, and goes on behind it', async () => {
    const http = await start('http,readers');
    await send(http, 3);
    const stream = new URL(engines.log).searchParams.get('stream') ?? '';
    await command(engines.log, 'XADD', stream, '*', 'hello', 'world');
    expect(await counted(http, await send(http, 3))).toBe(6);
    await openStore();
    const [aside, ...others] = await store.unreadableEntries(10);
    expect(others).toEqual([]);
    expect(aside?.raw).toContain('world');
    expect(await http.metric('archived_entries_total')).toBe(7);
  });
});
