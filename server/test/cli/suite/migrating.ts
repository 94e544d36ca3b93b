import { afterEach, describe, expect, it } from 'vitest';
import type { NewPlace } from '../../support/hub-places.ts';
import { type CliResult, runCli } from '../../support/run-cli.ts';
import { freePorts, Hubs } from './hubs.ts';

/** `event-hub migrate`. */
export function migratingSuite(newPlace: NewPlace): void {
  describe('event-hub migrate', () => {
    const hubs = new Hubs(newPlace);
    afterEach(() => hubs.end());

    it('has nothing to do before the first start, and makes nothing', async () => {
      const { flags, traces } = await hubs.newPlace();
      const plan = await runCli(['migrate', 'plan', ...flags]);
      expect(plan.code).toBe(0);
      expect(plan.stdout).toContain('there is no hub yet');
      expect(plan.stdout).toContain('`event-hub serve` makes the store as it is needed');
      expect(planOf(await json(flags))).toMatchObject({ version: null, steps: [] });
      const applied = await runCli(['migrate', 'apply', '--yes', ...flags]);
      expect(applied.code).toBe(0);
      expect(applied.stderr).toContain('there is no hub at');
      expect(await traces()).toEqual([]);
    });

    it('has nothing to do beside a hub of this version', async () => {
      const { place } = await hubs.start();
      const plan = planOf(await json(place.flags));
      expect(plan.steps).toEqual([]);
      expect(plan).toMatchObject({ version: plan.needed_version, in_the_way: null });
      const shown = await runCli(['migrate', 'plan', ...place.flags]);
      expect(shown.stdout).toMatch(/to do +nothing: the store is up to date/);
      const applied = await runCli(['migrate', 'apply', ...place.flags]);
      expect(applied).toMatchObject({ code: 0, stdout: '' });
      expect(applied.stderr).toContain('there is nothing to do');
    });

    it('plans what a store of an older hub needs, and changes nothing', async () => {
      const place = await hubs.newPlace();
      await place.makeOldest();
      const { code, stdout } = await runCli(['migrate', 'plan', ...place.flags]);
      const plan = planOf(await json(place.flags));
      expect(code).toBe(0);
      expect(plan.steps.map(({ version }) => version)).toEqual(
        Array.from(plan.steps, (_, index) => (plan.version ?? 0) + index + 1),
      );
      expect(plan.steps.at(-1)?.version).toBe(plan.needed_version);
      for (const { version, description } of plan.steps) {
        expect(stdout).toMatch(new RegExp(`version ${version} +${description}; `));
      }
      expect(stdout).toMatch(/in the way +nothing/);
      expect(stdout).toContain(plan.backup);
      expect(stdout).toContain('`event-hub migrate apply --yes`');
      expect(planOf(await json(place.flags))).toEqual(plan);
    });

    it('applies it only with --yes, and then a hub starts on it', async () => {
      const place = await hubs.newPlace();
      await place.makeOldest();
      const before = planOf(await json(place.flags));
      const careless = await runCli(['migrate', 'apply', ...place.flags]);
      expect(careless.code).toBe(2);
      expect(careless.stderr).toContain('add --yes');
      expect(planOf(await json(place.flags))).toEqual(before);
      const applied = await runCli(['migrate', 'apply', '--yes', ...place.flags]);
      expect(applied).toMatchObject({ code: 0, stdout: '' });
      for (const { version, description } of before.steps) {
        const said = `version ${version} of ${before.needed_version}: ${description} ...\n`;
        expect(applied.stderr).toContain(said);
      }
      expect(applied.stderr).toContain(`is at version ${before.needed_version}\n`);
      expect(applied.stderr).toContain('"audit":"store_migrated"');
      expect(planOf(await json(place.flags)).steps).toEqual([]);
      await hubs.startAt(place, { autoMigrate: false });
    });

    it('is done by a hub that starts', async () => {
      const place = await hubs.newPlace();
      await place.makeOldest();
      await hubs.startAt(place);
      expect(planOf(await json(place.flags)).steps).toEqual([]);
    });

    it('refuses a store that it cannot open, in one line', async () => {
      for (const store of ['sqlite:/usr', 'mongodb://127.0.0.1:1/hub', 'files:/tmp']) {
        for (const action of ['plan', 'apply']) {
          const command = ['migrate', action, '--yes', ...freePorts, `--store=${store}`];
          const { code, stdout, stderr } = await runCli(command);
          expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
          expect(stderr.trimEnd().split('\n')).toHaveLength(1);
        }
      }
    });
  });
}

interface Plan {
  readonly version: number | null;
  readonly needed_version: number;
  readonly steps: readonly { readonly version: number; readonly description: string }[];
  readonly backup: string;
}

async function json(flags: readonly string[]): Promise<CliResult> {
  return await runCli(['migrate', 'plan', '--output=json', ...flags]);
}

function planOf({ code, stdout }: CliResult): Plan {
  expect(code).toBe(0);
  // What is free on the disk is also others' business, and when MongoDB fills its files is its own.
  const { free_bytes: _free, size_bytes: _size, ...plan } = JSON.parse(stdout);
  return plan;
}
