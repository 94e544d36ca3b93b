import { randomInt } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeWithOwnEngines } from '../support/needed-program.ts';
import { type CrashReport, crashRun } from './rig/crash-run.ts';
import { StandardHarness, standardLoad, type Victim } from './rig/standard-harness.ts';
import { placeStandard } from './rig/standard-place.ts';

interface Case {
  readonly flaw: string;
  readonly victim: Victim;
  readonly kills: number;
  /** What the run says of it. */
  readonly shows: (report: CrashReport) => void;
}

const cases: readonly Case[] = [
  {
    flaw: 'answers before the append',
    victim: 'http',
    kills: 2,
    shows: ({ lost }) => expect(lost).toBeGreaterThan(0),
  },
  {
    flaw: 'marks the id before the append',
    victim: 'http',
    kills: 4,
    shows: ({ lost }) => expect(lost).toBeGreaterThan(0),
  },
  {
    flaw: 'moves the position apart from the counts',
    victim: 'readers',
    kills: 4,
    shows: ({ faults }) => {
      expect(faults.join('\n')).toContain('minute counts: ');
      expect(faults.join('\n')).toContain('metrics verify: ');
    },
  },
];

/** The same runs as in standard-kills.test.ts, which must fail here: else they would prove nothing. */
describeWithOwnEngines('a run of kills', ['redis', 'mongo'], () => {
  describe.each(cases)('with a hub that $flaw', ({ flaw, victim, kills, shows }) => {
    let report: CrashReport;

    beforeAll(async () => {
      const seed = String(randomInt(1_000_000));
      const place = await placeStandard({
        program: 'server/test/faults/rig/flawed-hub.ts',
        env: { FLAW: flaw },
      });
      await place.start();
      const harness = new StandardHarness(place, victim, seed);
      report = await crashRun(harness, { ...standardLoad, kills, seed });
      const { lost, duplicated, unexpected, faults } = report;
      process.stdout.write(
        `a hub that ${flaw}, ${kills} kills, --seed ${seed}: lost ${lost}, duplicated ${duplicated}, unexpected ${unexpected}, broken promises ${faults.length}\n`,
      );
    }, 600_000);

    it('fails, and says why', () => {
      expect(report.faults).not.toEqual([]);
      shows(report);
    });
  });
});
