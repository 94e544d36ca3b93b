import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NewPlace, settle } from '../../support/hub-places.ts';
import { get } from '../../support/rest-calls.ts';
import { jsonLines, runCli } from '../../support/run-cli.ts';
import { Hubs, type PlacedHub } from './hubs.ts';

interface Listed {
  readonly id: string;
  readonly user_id: string;
  readonly event_type: string;
}

/** `event-hub events`. */
export function listingSuite(newPlace: NewPlace): void {
  describe('event-hub events', () => {
    const hubs = new Hubs(newPlace);
    let hub: PlacedHub;
    beforeAll(async () => {
      hub = await hubs.start();
      const traffic = ['--count=2500', '--protocol=batch', '--seed=listing', `--url=${hub.url}`];
      expect((await runCli(['generate', ...traffic])).code).toBe(0);
      await settle(hub.place);
    });
    afterAll(() => hubs.end());
    const run = (command: string, ...flags: readonly string[]) =>
      runCli([command, ...flags, ...hub.place.flags]);
    const listed = async (query: string, type: string) =>
      (await get(hub.url, `/events?${query}`, { accept: type })).text;

    it('writes the same as the hub, in NDJSON and CSV', async () => {
      const [ndjson, csv] = await Promise.all([
        run('events', '--limit=1000', '--output=ndjson'),
        run('events', '--limit=1000', '--output=csv', '--order=asc'),
      ]);
      expect(ndjson.stdout).toBe(await listed('limit=1000', 'application/x-ndjson'));
      const fromHub = await listed('limit=1000&order=asc', 'text/csv');
      // Both quote what must be quoted; one quotes more.
      expect(csv.stdout.replaceAll('"', '')).toBe(fromHub.replaceAll('"', ''));
    });

    it('pages through everything in log order, each event once', async () => {
      const all = jsonLines<Listed>(await run('events', '--all', '--order=asc'));
      expect(new Set(all.map(({ id }) => id)).size).toBe(2500);
      const newest = jsonLines<Listed>(await run('events', '--limit=1500'));
      expect(newest).toEqual(all.toReversed().slice(0, 1500));
    });

    it('filters as the hub does', async () => {
      const flags = ['--user-id=demo-00001', '--user-id=demo-00002', '--event-type=purchase'];
      const found = jsonLines<Listed>(await run('events', '--all', ...flags));
      const query = 'user_id=demo-00001&user_id=demo-00002&event_type=purchase&limit=1000';
      const { events } = JSON.parse(await listed(query, 'application/json')) as { events: unknown };
      expect(found).toEqual(events);
      expect(found.length).toBeGreaterThan(0);
    });

    it('finds one by its id, and ends with 1 where there is none', async () => {
      const [newest] = jsonLines<Listed>(await run('events', '--limit=1'));
      const found = await run('events', `--id=${newest?.id}`, '--output=json');
      expect(JSON.parse(found.stdout)).toEqual([newest]);
      const missing = await run('events', '--id=nobody');
      expect(missing).toMatchObject({ code: 1, stdout: '' });
      expect(missing.stderr).toBe('event-hub: no event has this id\n');
    });

    it('refuses what the hub refuses, with the same words', async () => {
      const { code, stderr } = await run('events', '--event-type=sale', '--from=yesterday');
      expect(code).toBe(2);
      expect(stderr).toMatch(/event_type/);
    });

    it('lists conflicts and unreadable entries, of which a hub without faults has none', async () => {
      expect((await run('events', '--conflicts', '--output=json')).stdout).toBe('[]\n');
      expect((await run('events', '--unreadable', '--output=csv')).stdout).toBe(
        'position,reason,raw\r\n',
      );
    });
  });
}
