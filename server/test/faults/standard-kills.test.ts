import { randomInt } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeWithOwnEngines } from '../support/needed-program.ts';
import { type CrashReport, crashRun } from './rig/crash-run.ts';
import { reportText } from './rig/report-text.ts';
import { StandardHarness, standardLoad, type Victim } from './rig/standard-harness.ts';
import { placeStandard } from './rig/standard-place.ts';

/** `npm run crash -- --mode standard --kills 200 --victim NAME` is the same for longer. */
const kills = 10;

const groups: readonly { readonly victim: Victim; readonly what: string }[] = [
  { victim: 'redis', what: 'a Redis that is killed' },
  { victim: 'mongo', what: 'a MongoDB that is killed' },
  { victim: 'hub', what: 'processes of the hub, apart and together, that are killed' },
];

describeWithOwnEngines('under load over all protocols', ['redis', 'mongo'], () => {
  describe.each(groups)('$what at random moments', ({ victim }) => {
    const seed = String(randomInt(1_000_000));
    let report: CrashReport;

    beforeAll(async () => {
      const place = await placeStandard();
      await place.start();
      const harness = new StandardHarness(place, victim, seed);
      report = await crashRun(harness, { ...standardLoad, kills, seed });
      const command = `crash --mode standard --victim ${victim} --kills ${kills} --seed ${seed}`;
      process.stdout.write(`${command}\n${reportText(report)}`);
    }, 600_000);

    it('leaves every promise kept: service within 10 s of the return, 503 with Retry-After for what is dead and for nothing else', () => {
      expect(report.faults, `seed ${seed}`).toEqual([]);
    });

    it('loses nothing that was acknowledged, and stores and counts nothing twice', () => {
      expect(report).toMatchObject({ lost: 0, duplicated: 0, unexpected: 0, repeats: 0 });
    });

    it('leaves as many entries in the stream and events in the database as the hub tells of', () => {
      const { kept, told } = report.evidence;
      expect(kept.log).toHaveLength(told.events.length);
      expect(kept.rows).toHaveLength(told.events.length);
    });

    it('came while clients were answered', () => {
      expect(report.acknowledged).toBeGreaterThan(kills * 10);
      expect(Object.values(report.kills).reduce((sum, each) => sum + each)).toBe(kills);
    });
  });
});
