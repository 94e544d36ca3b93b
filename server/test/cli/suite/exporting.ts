import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NewPlace, settle } from '../../support/hub-places.ts';
import { anInput, get, postEvents } from '../../support/rest-calls.ts';
import { jsonLines, runCli } from '../../support/run-cli.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';
import { endAmid } from './end-amid.ts';
import { Hubs, type PlacedHub } from './hubs.ts';

interface Exported {
  readonly id: string;
  readonly position: string;
  readonly received_at: string;
}

/** `event-hub export` and `event-hub import`. */
export function exportingSuite(newPlace: NewPlace): void {
  describe('event-hub export and import', () => {
    const hubs = new Hubs(newPlace);
    let hub: PlacedHub;
    let folder: TemporaryFolder;
    let file: string;
    beforeEach(async () => {
      folder = temporaryFolder();
      file = join(folder.path, 'events.ndjson');
      hub = await hubs.start();
    });
    afterEach(async () => {
      await hubs.end();
      folder.remove();
    });

    const generate = async (count: number) => {
      const flags = [`--count=${count}`, `--url=${hub.url}`, '--protocol=batch'];
      expect((await runCli(['generate', ...flags])).code).toBe(0);
      await settle(hub.place);
    };
    const exported = (...flags: readonly string[]) =>
      runCli(['export', `--to=${file}`, ...hub.place.flags, ...flags]);
    const imported = (to: PlacedHub, ...flags: readonly string[]) =>
      runCli(['import', `--from=${file}`, `--url=${to.url}`, ...flags]);
    const listed = async (of: PlacedHub) =>
      jsonLines<Exported>(
        await runCli(['events', '--all', '--order=asc', '--output=ndjson', ...of.place.flags]),
      );
    const written = () => jsonLines<Exported>({ stdout: readFileSync(file, 'utf8') });

    /** Interrupts an export that has begun to write. Answers how many events are kept. */
    const interruptedExport = async (): Promise<number> => {
      const { code, stderr } = await endAmid(
        'SIGINT',
        ['export', `--to=${file}`, ...hub.place.flags],
        { folder: folder.path, undo: () => rmSync(file) },
      );
      expect(code, stderr).toBe(1);
      return Number(/interrupted after (\d+) events/.exec(stderr)?.[1]);
    };

    it.each(['events.ndjson', 'events.csv'])(
      'carry every event of one hub to another in %s, twice without counting one twice',
      async (name) => {
        file = join(folder.path, name);
        await generate(1_200);
        const odd = anInput({ id: 'odd', user_id: 'a "b", c', metadata: { note: 'x\r\ny' } });
        expect((await postEvents(hub.url, odd)).status).toBe(201);
        await settle(hub.place);
        const out = await exported();
        expect(out).toMatchObject({ code: 0, stdout: '' });
        expect(out.stderr).toBe(`1201 events in ${file}\n`);
        expect(readdirSync(folder.path)).toEqual([name]);

        const other = await hubs.start();
        const first = await imported(other);
        expect(first.stderr).toContain('1201 stored, 0 duplicates, 0 refused');
        expect(first.code).toBe(0);
        await settle(other.place);
        const second = await imported(other);
        expect(second.stderr).toContain('0 stored, 1201 duplicates, 0 refused');
        const before = await listed(hub);
        const after = await listed(other);
        expect(after.map(asSent)).toEqual(before.map(asSent));
        expect((await runCli(['metrics', 'verify', ...other.place.flags])).code).toBe(0);
      },
    );

    it('go on after every break, without loss or repeat, and refuse to go on elsewhere', async () => {
      await generate(4_500);
      const broken = await interruptedExport();
      expect(broken).toBeGreaterThan(0);
      expect(existsSync(file)).toBe(false);
      const other = await exported('--event-type=purchase');
      expect(other.code).toBe(2);
      expect(other.stderr).toContain('another export was broken off there');
      // What a killed process had written after the place that it kept last.
      appendFileSync(`${file}.unfinished`, '{"id":"half a li');
      const rest = await exported();
      expect(rest.stderr).toMatch(/^going on after \d+ events\n4500 events in /);
      expect(written()).toEqual(await listed(hub));
      expect(readdirSync(folder.path)).toEqual(['events.ndjson']);
    });

    it('refuse to go on where the hub was replaced meanwhile, instead of missing events', async () => {
      await generate(3_500);
      await interruptedExport();
      await hub.stop();
      expect((await runCli(['reset', '--yes', ...hub.place.flags])).code).toBe(0);
      hub = await hubs.restart(hub);
      await generate(1_500);
      const refused = await exported();
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('was restored or replaced since');
      expect(existsSync(file)).toBe(false);
    });

    it('export what the filters say, and replace a file only with --force', async () => {
      await generate(300);
      const flags = ['--event-type=purchase', '--currency=EUR', '--from=2020-01-01T00:00:00Z'];
      expect((await exported(...flags)).code).toBe(0);
      const wanted = (
        await get(hub.url, '/events?limit=1000&order=asc&event_type=purchase&currency=EUR')
      ).json;
      expect(written()).toEqual(wanted.events);
      expect(written().length).toBeGreaterThan(0);
      const again = await exported();
      expect(again).toMatchObject({ code: 2, stdout: '' });
      expect(again.stderr).toContain('is there already');
      expect(written()).toEqual(wanted.events);
      expect((await exported('--force', '--before=2020-01-01T00:00:00Z')).code).toBe(0);
      expect(written()).toEqual([]);
      expect((await exported('--force', '--event-type=sale')).code).toBe(2);
    });

    it('refuse events by line and reason, take the rest, and take no event without an id', async () => {
      const lines = [
        { ...anInput(), id: 'good' },
        { ...anInput(), amount: '-1', id: 'negative' },
        { ...anInput(), id: undefined },
        { ...anInput(), id: 'good', amount: '77' },
      ].map((event) => JSON.stringify(event));
      writeFileSync(file, `${[...lines, 'no JSON'].join('\n')}\n`);
      const refusedFile = join(folder.path, 'refused.ndjson');
      const { code, stderr } = await imported(hub, `--refused=${refusedFile}`);
      expect(code).toBe(1);
      expect(stderr).toContain('1 stored, 0 duplicates, 4 refused');
      expect(stderr).toMatch(/1 refused, conflict: .*\(line 4\)/);
      const refused = jsonLines<Record<string, unknown>>({
        stdout: readFileSync(refusedFile, 'utf8'),
      });
      expect(refused).toMatchObject([
        { line: 2, id: 'negative', reason: 'invalid', document: { amount: '-1' } },
        { line: 3, reason: 'invalid', detail: expect.stringContaining('has no id') },
        { line: 4, id: 'good', reason: 'conflict', document: { amount: '77' } },
        { line: 5, reason: 'unreadable', document: 'no JSON' },
      ]);
      await settle(hub.place);
      expect((await listed(hub)).map(({ id }) => id)).toEqual(['good']);
      const nowhere = await runCli(['import', `--from=${file}`, '--url=http://127.0.0.1:1']);
      expect(nowhere.code).toBe(3);
      expect(nowhere.stderr).toContain('the same command goes on');
      expect((await runCli(['import', '--from=./missing.ndjson'])).code).toBe(2);
    });
  });
}

/** What an import keeps of an event. */
function asSent({ position, received_at, ...event }: Exported) {
  return event;
}
