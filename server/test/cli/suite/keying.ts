import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { openStore } from '../../../src/main/engines.ts';
import type { NewPlace } from '../../support/hub-places.ts';
import { type CliResult, jsonLines, runCli } from '../../support/run-cli.ts';
import { Hubs, type PlacedHub } from './hubs.ts';

const seen = { timeout: 10_000, interval: 100 };
const anEvent = JSON.stringify({ user_id: 'u', event_type: 'purchase', amount: '1' });

/** `event-hub keys`, beside a running hub and before the first one. */
export function keyingSuite(newPlace: NewPlace): void {
  describe('event-hub keys', () => {
    const hubs = new Hubs(newPlace);
    afterEach(() => hubs.end());

    const keys = (hub: PlacedHub, ...args: string[]) =>
      runCli(['keys', ...args, ...hub.place.flags]);
    const create = async (hub: PlacedHub, ...args: string[]) => {
      const made = await keys(hub, 'create', '--output=json', ...args);
      expect(made, made.stderr).toMatchObject({ code: 0 });
      return keyIn(made);
    };
    const post = (hub: PlacedHub, headers: Record<string, string> = {}) =>
      fetch(`${hub.url}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: anEvent,
      });
    const statusOf = async (hub: PlacedHub, key?: string) =>
      (await post(hub, key === undefined ? {} : { authorization: `Bearer ${key}` })).status;

    it('closes a hub that was open, and lets the key in', async () => {
      const hub = await hubs.start();
      expect(await statusOf(hub)).toBe(201);
      const made = await create(hub, '--name=shop', '--scopes=events:write', '--expires=90d');
      expect(made).toEqual({
        id: expect.stringMatching(/^[0-9A-Za-z]{8}$/),
        name: 'shop',
        key: expect.stringContaining(`eh_live_${made.id}_`),
        scopes: ['events:write'],
        expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
      });
      await vi.waitFor(async () => expect(await statusOf(hub)).toBe(401), seen);
      expect(await statusOf(hub, made.key)).toBe(201);
      expect((await post(hub, { 'x-api-key': made.key })).status).toBe(201);
    });

    it('lists keys with their last use and without what lets anybody in', async () => {
      const hub = await hubs.start();
      const { key } = await create(hub, '--name=a', '--scopes=events:write,events:read');
      await create(hub, '--name=b', '--scopes=admin', '--event-types=purchase,refund');
      await vi.waitFor(async () => expect(await statusOf(hub, key)).toBe(201), seen);
      await vi.waitFor(async () => {
        const listed = await keys(hub, 'list', '--output=ndjson');
        const [a, b] = jsonLines(listed);
        expect(a).toMatchObject({ name: 'a', state: 'holds', event_types: null });
        expect(a).toMatchObject({ last_used_at: expect.stringMatching(/Z$/) });
        expect(b).toMatchObject({ name: 'b', event_types: ['purchase', 'refund'] });
        expect(b).toMatchObject({ last_used_at: null });
        expect(listed.stdout).not.toContain(key);
      }, seen);
    });

    it('rotates: both hold for the overlap, then only the new one', async () => {
      const hub = await hubs.start();
      const first = await create(hub, '--name=shop', '--scopes=events:write');
      const rotated = await keys(hub, 'rotate', '--name=shop', '--overlap=10m', '--output=json');
      const second = keyIn(rotated);
      expect(second).toMatchObject({ name: 'shop', scopes: ['events:write'] });
      for (const { key } of [first, second]) {
        await vi.waitFor(async () => expect(await statusOf(hub, key)).toBe(201), seen);
      }
      const third = keyIn(
        await keys(hub, 'rotate', '--name=shop', '--overlap=0s', '--output=json'),
      );
      await vi.waitFor(async () => expect(await statusOf(hub, second.key)).toBe(401), seen);
      expect(await statusOf(hub, first.key)).toBe(401);
      expect(await statusOf(hub, third.key)).toBe(201);
    });

    it('refuses a revoked key, and stays closed when the last one is gone until it is reopened', async () => {
      const hub = await hubs.start();
      const { key } = await create(hub, '--name=shop', '--scopes=events:write');
      await vi.waitFor(async () => expect(await statusOf(hub, key)).toBe(201), seen);
      expect((await keys(hub, 'revoke', '--name=shop')).code).toBe(0);
      await vi.waitFor(async () => expect(await statusOf(hub, key)).toBe(401), seen);
      expect(await statusOf(hub)).toBe(401);
      const again = await hubs.restart(await stopped(hub));
      expect(await statusOf(again)).toBe(401);
      expect((await keys(again, 'reopen')).code).toBe(2);
      expect((await keys(again, 'reopen', '--yes')).code).toBe(0);
      await vi.waitFor(async () => expect(await statusOf(again)).toBe(201), seen);
      expect(await statusOf(again, key)).toBe(401);
    });

    it('ends a key when there are as many as a hub knows, and makes no more', async () => {
      const hub = await hubs.start();
      const { key } = await create(hub, '--name=leaked', '--scopes=admin');
      const store = await openStore(hub.settings, { exclusive: false });
      const ends = { expiresAt: undefined, revokedAt: Date.now(), lastUsedAt: undefined };
      const kept = { name: 'old', hash: '', scopes: [], eventTypes: undefined, ...ends };
      for (let at = 1; at < limits.apiKeys; at += 1) {
        await store.keys.add({ id: `old-${at}`, createdAt: at, ...kept }, 0);
      }
      await store.close();
      const more = await keys(hub, 'create', '--name=more', '--scopes=admin');
      expect(more.code).toBe(2);
      expect(more.stderr).toContain(`there are ${limits.apiKeys} keys`);
      expect((await keys(hub, 'revoke', '--name=leaked')).code).toBe(0);
      await vi.waitFor(async () => expect(await statusOf(hub, key)).toBe(401), seen);
    }, 60_000);

    it('says what is wrong with a wish', async () => {
      const hub = await hubs.start();
      const said = async (...args: string[]) => {
        const { code, stderr } = await keys(hub, ...args);
        return [code, stderr];
      };
      expect(await said('create', '--scopes=admin')).toEqual([
        2,
        expect.stringContaining('--name'),
      ]);
      expect(await said('create', '--name=a')).toEqual([2, expect.stringContaining('--scopes')]);
      expect(await said('create', '--name=a', '--scopes=all')).toEqual([
        2,
        expect.stringContaining("'all' is no scope"),
      ]);
      expect(await said('create', '--name=a', '--scopes=admin', '--event-types=purchases')).toEqual(
        [2, expect.stringContaining("'purchases' is no configured event type")],
      );
      expect(await said('rotate', '--name=a')).toEqual([1, expect.stringContaining('no key a')]);
      expect(await said('revoke', '--id=a')).toEqual([1, expect.stringContaining('no key a')]);
      await create(hub, '--name=a', '--scopes=admin');
      expect(await said('create', '--name=a', '--scopes=admin')).toEqual([
        2,
        expect.stringContaining('rotate it'),
      ]);
    });

    it('lets the commands that talk to a hub in, by variable and by file', async () => {
      const hub = await hubs.start();
      const { key } = await create(hub, '--name=cli', '--scopes=events:write,events:read');
      await vi.waitFor(async () => expect(await statusOf(hub)).toBe(401), seen);
      const to = [`--url=${hub.url}`, `--grpc-url=${hub.grpcAddress}`];
      const event = ['--user-id=cli', '--event-type=purchase', '--amount=1'];
      const refused = await runCli(['send', ...to, ...event]);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain('a credential is needed');
      for (const protocol of ['rest', 'graphql', 'grpc']) {
        const env = { EVENT_HUB_API_KEY: key };
        const sent = await runCli(['send', ...to, ...event, `--protocol=${protocol}`], { env });
        expect(sent, sent.stderr).toMatchObject({ code: 0 });
      }
      const file = join(hub.folder, 'key');
      writeFileSync(file, `${key}\n`);
      const history = ['--after=start', '--no-follow', '--user-id=cli', '--output=ndjson'];
      const read = await runCli(['tail', `--url=${hub.url}`, ...history], {
        env: { EVENT_HUB_API_KEY_FILE: file },
      });
      expect(jsonLines(read)).toHaveLength(3);
    });
  });
}

function keyIn({ stdout }: CliResult) {
  return JSON.parse(stdout) as { readonly id: string; readonly key: string };
}

async function stopped(hub: PlacedHub): Promise<PlacedHub> {
  await hub.stop();
  return hub;
}
