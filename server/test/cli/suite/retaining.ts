import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minuteMs, minuteOf } from '../../../src/event/minute.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { append, trimRedis } from '../../support/fill-place.ts';
import { type NewPlace, within } from '../../support/hub-places.ts';
import { type CliResult, runCli } from '../../support/run-cli.ts';
import { Hubs, type PlacedHub } from './hubs.ts';

const dayMs = 24 * 60 * minuteMs;
/** Three of each minute. */
const oldCount = 1_230;
const oldMinutes = oldCount / 3;

/** `event-hub retention`, beside a running hub that keeps everything by itself. */
export function retainingSuite(newPlace: NewPlace): void {
  describe('event-hub retention', () => {
    const hubs = new Hubs(newPlace);
    let hub: PlacedHub;
    let floor: string;
    beforeAll(async () => {
      const place = await hubs.newPlace();
      const first = minuteOf(Date.now() - 300 * dayMs);
      const old = Array.from({ length: oldCount }, (_, index) => {
        const at = first + index * (minuteMs / 3);
        return anEvent({ timestamp: at, receivedAt: at + 10 });
      });
      await append(place, [...old, ...someEvents(150, { receivedAt: Date.now() })]);
      if (place.log.startsWith('redis')) await trimRedis(place.log);
      floor = await within(place, async ({ store }) => {
        const id = old.at(-1)?.id ?? '';
        return (await store.get(id))?.position ?? '';
      });
      hub = await hubs.startAt(place);
    }, 60_000);
    afterAll(() => hubs.end());
    const run = (...words: readonly string[]) =>
      runCli(['retention', ...words, ...hub.place.flags]);
    const shown = async () => JSON.parse((await run('show', '--output=json')).stdout);
    const nothing = { removed_events: 0, frozen_minutes: 0, floors: [] };
    const removal = () => ({
      shard: '0',
      events: oldCount,
      frozen_minutes: oldMinutes,
      floor,
      oldest: expect.stringMatching(/\.010Z$/),
      newest: expect.stringMatching(/\.010Z$/),
    });

    it('is refused without an age, and with one that the setting may not have', async () => {
      const refused = async (...words: readonly string[]) => {
        const { code, stderr } = await run(...words);
        expect(code).toBe(2);
        return stderr;
      };
      expect(await refused('preview')).toContain('--older-than 400d');
      expect(await refused('preview', '--older-than=soon')).toContain('must be a duration');
      expect(await refused('apply', '--older-than=1d', '--yes')).toContain(
        '--older-than: expected at least 2d',
      );
      expect(await refused('apply', '--older-than=100d')).toContain('add --yes');
      expect(await refused('preview', '--retention=25h')).toContain('expected at least 2d');
      expect(await shown()).toEqual(nothing);
    });

    it('previews what would go, and changes nothing', async () => {
      const asked = await run('preview', '--older-than=100d', '--output=json');
      expect(asked.code).toBe(0);
      expect(JSON.parse(asked.stdout)).toEqual([removal()]);
      const bySetting = await run('preview', '--retention=100d');
      expect(bySetting.stdout).toContain(`${oldMinutes}  ${floor}`);
      for (const words of ['1230 events, received before', 'verify and rebuild', 'for a user']) {
        expect(bySetting.stderr).toContain(words);
      }
      const isFile = hub.place.log.startsWith('sqlite');
      expect(bySetting.stderr.includes('does not become smaller')).toBe(isFile);
      const none = await run('preview', '--older-than=301d');
      expect(none).toMatchObject({ code: 0, stdout: '' });
      expect(none.stderr).toContain('nothing that was received before');
      expect(await shown()).toEqual(nothing);
    });

    it('removes it beside the running hub, which does not give it out any more', async () => {
      const before = await listed();
      expect(before).toBe(oldCount + 150);
      const applied = await run('apply', '--older-than=100d', '--yes', '--output=ndjson');
      expect(applied.code).toBe(0);
      expect(JSON.parse(applied.stdout)).toEqual(removal());
      expect(applied.stderr).toContain(`${oldCount} events were removed\n`);
      expect(applied.stderr).toContain('"audit":"retention_applied"');
      expect(await listed()).toBe(150);
      const stream = await fetch(`${hub.url}/events/stream?after=start&follow=false`, {
        headers: { accept: 'application/x-ndjson' },
      });
      const ids = (await stream.text()).match(/"id":/g) ?? [];
      expect(ids).toHaveLength(150);
      expect(await shown()).toEqual({
        removed_events: oldCount,
        frozen_minutes: oldMinutes,
        floors: [{ shard: '0', floor }],
      });
    });

    it('has nothing to do then, and says what has been done', async () => {
      const again = await run('apply', '--older-than=100d', '--yes');
      expect(again.code).toBe(0);
      expect(again.stderr).toContain('0 events were removed');
      expect(again.stderr).not.toContain('audit');
      const { stdout, stderr } = await run('show');
      expect(stdout).toContain(`0      ${floor}\n`);
      expect(stderr).toContain(`${oldCount} events were removed so far, ${oldMinutes} minutes`);
    });

    it('lets metrics verify and rebuild say how many minutes they pass over', async () => {
      const metrics = (action: string) => runCli(['metrics', action, ...hub.place.flags]);
      const passed = `${oldMinutes} frozen minutes were passed over`;
      const right = (result: CliResult) => {
        expect(result).toMatchObject({ code: 0, stdout: '' });
        expect(result.stderr).toContain(passed);
      };
      right(await metrics('verify'));
      right(await metrics('rebuild'));
      const window = ['--from=2020-01-01T00:00:00Z', '--to=2099-01-01T00:00:00Z'];
      const shown = await runCli(['metrics', 'show', ...window, ...hub.place.flags]);
      expect(shown.stdout).toContain(`: ${oldCount + 150} events`);
      const byUser = await runCli([
        'metrics',
        'show',
        ...window,
        '--user-id=u1',
        ...hub.place.flags,
      ]);
      expect(byUser.code).not.toBe(0);
      expect(byUser.stderr).toContain('the next whole minute');
    });

    const listed = async () => {
      let count = 0;
      for (let cursor = ''; ; ) {
        const response = await fetch(`${hub.url}/events?limit=1000${cursor}`);
        const { events, next } = (await response.json()) as {
          events: readonly unknown[];
          next: string | null;
        };
        count += events.length;
        if (next === null) return count;
        cursor = `&cursor=${encodeURIComponent(next)}`;
      }
    };
  });
}
