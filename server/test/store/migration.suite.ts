import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MigrationCost, MigrationPlan, MigrationStep } from '../../src/base/migration.ts';

/** A step that a later hub might have: it adds one thing with this name. */
export interface LaterStep {
  readonly name: string;
  readonly cost: MigrationCost;
  /** Fails before it is whole, whenever it is tried. */
  readonly isBroken?: boolean;
}

/** A store of the hub as it is, and hubs that have some steps more. */
export interface MigrationHarness {
  /** Where it is, as a plan names it. */
  readonly place: string;
  /** Makes it, with as many events, as a hub of this version does. */
  make(events: number): Promise<void>;
  plan(later: readonly LaterStep[]): Promise<MigrationPlan>;
  migrate(
    later: readonly LaterStep[],
    onBegin?: (step: MigrationStep) => void,
  ): Promise<readonly MigrationStep[]>;
  /** As a hub with these steps opens it to serve. Answers with what it says of it. */
  open(later: readonly LaterStep[], options?: { allowed: boolean }): Promise<readonly string[]>;
  /** Does the work while a hub of this version runs on it. */
  besideHub<T>(work: () => Promise<T>): Promise<T>;
  /** The names of what later steps have added. */
  added(): Promise<readonly string[]>;
  destroy(): Promise<void>;
}

const later: readonly LaterStep[] = [
  { name: 'later_one', cost: 'no events' },
  { name: 'later_two', cost: 'rewrites all events' },
];
const names = later.map(({ name }) => name);

/** The promises of what brings an older store up to date, for every store. */
export function migrationSuite(name: string, newHarness: () => Promise<MigrationHarness>): void {
  describe(`migrations ${name}`, () => {
    let harness: MigrationHarness;
    beforeEach(async () => {
      harness = await newHarness();
    });
    afterEach(() => harness.destroy());

    it('have nothing to do where there is nothing, and make nothing', async () => {
      expect(await harness.plan([])).toMatchObject({ version: undefined, steps: [], events: 0 });
      await expect(harness.migrate([])).rejects.toMatchObject({ code: 'not_found' });
      expect(await harness.plan([])).toMatchObject({ version: undefined });
    });

    it('have nothing to do on a store of this hub', async () => {
      await harness.make(3);
      const plan = await harness.plan([]);
      expect(plan).toMatchObject({ place: harness.place, steps: [], events: 3 });
      expect(plan.version).toBe(plan.neededVersion);
      expect(await harness.migrate([])).toEqual([]);
      expect(await harness.open([])).toEqual([]);
    });

    it('are planned without a change', async () => {
      await harness.make(3);
      const { version = 0 } = await harness.plan([]);
      const expected = later.map(({ name: each, cost }, index) => ({
        version: version + index + 1,
        description: `adds ${each}`,
        cost,
      }));
      for (let time = 0; time < 2; time += 1) {
        const plan = await harness.plan(later);
        expect(plan).toMatchObject({ version, neededVersion: version + 2, events: 3 });
        expect(plan.steps).toEqual(expected);
        expect(plan.sizeBytes).toBeGreaterThan(0);
        expect(plan.obstacle).toBeUndefined();
        expect(await harness.added()).toEqual([]);
      }
    });

    it('are done in order, each once, and not again', async () => {
      await harness.make(3);
      const { steps } = await harness.plan(later);
      const begun: MigrationStep[] = [];
      expect(await harness.migrate(later, (step) => begun.push(step))).toEqual(steps);
      expect(begun).toEqual(steps);
      expect(await harness.added()).toEqual(names);
      expect(await harness.plan(later)).toMatchObject({ steps: [], events: 3 });
      expect(await harness.migrate(later)).toEqual([]);
    });

    it('are done by a hub that starts, which says each', async () => {
      await harness.make(1);
      expect(await harness.open(later)).toEqual(names.map((each) => `adds ${each}`));
      expect(await harness.added()).toEqual(names);
      expect(await harness.open(later)).toEqual([]);
    });

    it('are not done by a hub that may not, which names the commands', async () => {
      await harness.make(1);
      await expect(harness.open(later, { allowed: false })).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringMatching(
          /`event-hub migrate plan` .* `event-hub migrate apply --yes`/,
        ),
      });
      expect(await harness.added()).toEqual([]);
      await harness.migrate(later);
      expect(await harness.open(later, { allowed: false })).toEqual([]);
    });

    it('make a new store without a word, also by a hub that may not migrate', async () => {
      expect(await harness.open(later, { allowed: false })).toEqual([]);
      expect(await harness.added()).toEqual(names);
      expect(await harness.plan(later)).toMatchObject({ steps: [], events: 0 });
    });

    it('lead nowhere back: an older hub refuses the store', async () => {
      await harness.make(1);
      await harness.migrate(later);
      const refusal = { code: 'conflict', message: expect.stringMatching(/newer (hub|Event Hub)/) };
      await expect(harness.open([])).rejects.toMatchObject(refusal);
      await expect(harness.plan([])).rejects.toMatchObject(refusal);
      await expect(harness.migrate([])).rejects.toMatchObject(refusal);
    });

    it('wait until no hub runs that must not go on meanwhile', async () => {
      await harness.make(1);
      await harness.besideHub(async () => {
        expect((await harness.plan(later)).obstacle).toContain('stop it first');
        await expect(harness.migrate(later)).rejects.toMatchObject({
          code: 'conflict',
          message: expect.stringContaining('hub runs on'),
        });
        await expect(harness.open(later)).rejects.toMatchObject({
          code: expect.stringMatching(/^(conflict|unavailable)$/),
        });
        expect(await harness.added()).toEqual([]);
      });
      expect((await harness.plan(later)).obstacle).toBeUndefined();
      await harness.migrate(later);
      expect(await harness.added()).toEqual(names);
    });

    it('that break off are finished by the next try', async () => {
      await harness.make(1);
      const broken = later.map((step, index) => ({ ...step, isBroken: index === 1 }));
      await expect(harness.migrate(broken)).rejects.toThrow();
      await expect(harness.open(broken)).rejects.toThrow();
      expect(await harness.added()).not.toContain('later_two');
      const { steps } = await harness.plan(later);
      expect(await harness.migrate(later)).toEqual(steps);
      expect(await harness.added()).toEqual(names);
      expect(await harness.plan(later)).toMatchObject({ steps: [], events: 1 });
    });
  });
}
