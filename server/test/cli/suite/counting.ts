import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NewPlace, settle } from '../../support/hub-places.ts';
import { jsonLines, runCli } from '../../support/run-cli.ts';
import { Hubs, type PlacedHub } from './hubs.ts';

const wholeWindow = ['--from=2020-01-01T00:00:00Z', '--to=2099-01-01T00:00:00Z'];

/** `event-hub metrics`. */
export function countingSuite(newPlace: NewPlace): void {
  describe('event-hub metrics', () => {
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

    it('shows the numbers of GET /aggregates', async () => {
      const { code, stdout } = await run('metrics', 'show', ...wholeWindow, '--output=json');
      expect(code).toBe(0);
      const window = 'from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z';
      const response = await fetch(`${hub.url}/aggregates?${window}`);
      expect(JSON.parse(stdout)).toEqual(await response.json());
    });

    it('shows them as a table and as CSV', async () => {
      const [table, csv] = await Promise.all([
        run('metrics', 'show', ...wholeWindow, '--currency=EUR'),
        run('metrics', 'show', ...wholeWindow, '--currency=EUR', '--output=csv'),
      ]);
      expect(table.stdout).toMatch(
        / events; newest counted .*\nEUR {2}total [\d.]+ {2}net [\d.]+\n/,
      );
      expect(csv.stdout).toMatch(
        /^event_type,sign,currency,event_count,total_amount\r\npurchase,\+,EUR,/,
      );
    });

    it('verifies the counts, and rebuilds those that are wrong', async () => {
      const right = await run('metrics', 'verify');
      expect(right).toEqual({
        code: 0,
        stdout: '',
        stderr: 'the counts equal a recomputation from the events\n',
      });
      const before = await run('metrics', 'show', ...wholeWindow, '--output=csv');
      await hub.place.spoilCounts('JPY');
      const wrong = await run('metrics', 'verify', '--output=ndjson');
      expect(wrong.code).toBe(1);
      const differences = jsonLines<Record<string, string>>(wrong);
      expect(differences).not.toEqual([]);
      for (const difference of differences) {
        expect(difference.currency).toBe('JPY');
        expect(Number(difference.counted_events)).toBe(Number(difference.events) + 1);
        expect(difference.counted_total).toBe(difference.total);
      }
      const rebuilt = await run('metrics', 'rebuild');
      expect(rebuilt.code).toBe(0);
      expect(rebuilt.stderr).toMatch(/^[1-9]\d* counts were replaced\n/);
      expect((await run('metrics', 'verify')).code).toBe(0);
      const after = await run('metrics', 'show', ...wholeWindow, '--output=csv');
      expect(after.stdout).toBe(before.stdout);
    });
  });
}
