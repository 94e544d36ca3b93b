import { afterEach, describe, expect, it } from 'vitest';
import { type ModePlace, type NewPlace, settle } from '../../support/hub-places.ts';
import { jsonLines, runCli } from '../../support/run-cli.ts';
import { Hubs } from './hubs.ts';

/** `event-hub reset`. */
export function resettingSuite(newPlace: NewPlace): void {
  describe('event-hub reset', () => {
    const hubs = new Hubs(newPlace);
    afterEach(() => hubs.end());

    it('empties a stopped hub only with --yes, and never a running one', async () => {
      const hub = await hubs.start();
      const { log, flags, words } = hub.place;
      expect((await runCli(['generate', '--count=10', `--url=${hub.url}`])).code).toBe(0);
      await settle(hub.place);
      const running = await runCli(['reset', '--yes', ...flags]);
      expect(running.code).toBe(2);
      expect(running.stderr).toContain(words.inUse);
      await hub.stop();
      expect((await runCli(['reset', ...flags])).code).toBe(2);
      expect(await count(hub.place)).toBe(10);
      const done = await runCli(['reset', '--yes', ...flags]);
      expect(done).toMatchObject({ code: 0, stdout: '' });
      expect(done.stderr).toContain(`${log} is empty\n`);
      expect(done.stderr).toContain('"audit":"hub_reset"');
      expect((await runCli(['reset', '--yes', ...flags])).code).toBe(0);
      await hubs.startAt(hub.place);
      expect(await count(hub.place)).toBe(0);
    });
  });
}

async function count({ flags }: ModePlace): Promise<number> {
  return jsonLines(await runCli(['events', '--all', ...flags])).length;
}
