import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithOwnEngines } from '../support/needed-program.ts';
import { checkShardedRun } from './rig/check-sharded-run.ts';
import { type CrashReport, crashRun, settle } from './rig/crash-run.ts';
import { type Follower, startFollowers } from './rig/followers.ts';
import { servesAgain } from './rig/hub-probes.ts';
import { runProgram } from './rig/hub-process.ts';
import { type Load, startLoad } from './rig/load.ts';
import { reportText } from './rig/report-text.ts';
import { StandardHarness, standardLoad, type Victim } from './rig/standard-harness.ts';
import { placeStandard, type StandardPlace } from './rig/standard-place.ts';

/** `npm run crash -- --mode scale --kills 200 --victim NAME` is the same for longer; a broker takes long to start. */
const groups: readonly {
  readonly victim: Victim;
  readonly kills: number;
  readonly what: string;
}[] = [
  { victim: 'kafka', kills: 3, what: 'a broker that is killed' },
  { victim: 'hub', kills: 5, what: 'processes of the hub, apart and together, that are killed' },
];
/** Two cores hold a broker, MongoDB, four processes and the load: the promise is 10 s where they do not. */
const returnMsMax = 20_000;

describeWithOwnEngines('on Kafka, under load over all protocols', ['kafka', 'mongo'], () => {
  describe.each(groups)('$what at random moments', ({ victim, kills }) => {
    const seed = String(randomInt(1_000_000));
    let report: CrashReport;

    beforeAll(async () => {
      const place = await placeStandard({ log: 'kafka', readers: 2 });
      await place.start();
      const harness = new StandardHarness(place, victim, seed);
      report = await crashRun(harness, { ...standardLoad, kills, seed });
      const command = `crash --mode scale --victim ${victim} --kills ${kills} --seed ${seed}`;
      process.stdout.write(`${command}\n${reportText(report)}`);
    }, 900_000);

    it('leaves every promise kept: service soon after the return, 503 with Retry-After for what is dead and for nothing else', () => {
      expect(report.faults, `seed ${seed}`).toEqual([]);
    });

    it('loses nothing that was acknowledged, and stores and counts nothing twice', () => {
      expect(report).toMatchObject({ lost: 0, duplicated: 0, unexpected: 0 });
      expect(report.acknowledged).toBeGreaterThan(kills * 10);
    });
  });

  describe('four processes, two of which read', () => {
    let place: StandardPlace;
    let load: Load;
    let followers: readonly Follower[];

    beforeAll(async () => {
      place = await placeStandard({ log: 'kafka', readers: 2 });
      await place.start();
      load = startLoad(place, { ...standardLoad, seed: 'scale', hasLagWindow: true });
      followers = startFollowers(place);
      await servesAgain(place, load.history);
    }, 240_000);

    afterAll(async () => {
      await Promise.all(followers.map((follower) => follower.stop()));
      await place.remove();
    });

    it('share the partitions', async () => {
      await expect.poll(() => active(place)).toEqual([3, 3]);
    });

    it('take over from one that freezes, soon, and leave it its part again when it wakes', async () => {
      const frozen = place.service('readers');
      frozen.signal('SIGSTOP');
      await expect.poll(() => activeOf(place, 'readers-2'), { timeout: returnMsMax }).toBe(6);
      frozen.signal('SIGCONT');
      await expect.poll(() => active(place)).toEqual([3, 3]);
    }, 120_000);

    it('wait for a broker that does not answer for a while, and go on', async () => {
      place.log.pause();
      await sleep(3_000);
      place.log.resume();
      expect(await servesAgain(place, load.history)).toBeLessThan(returnMsMax);
    }, 60_000);

    it('have lost nothing and counted nothing twice, as a recomputation shows', async () => {
      await load.stop();
      const evidence = await settle(place, followers, load.history);
      const verdict = checkShardedRun({ ...evidence, kept: await place.readKept() });
      process.stdout.write(
        `four processes on Kafka: acknowledged ${verdict.acknowledged}, lost ${verdict.lost}, duplicated ${verdict.duplicated}\n`,
      );
      expect([...verdict.faults, ...place.ended()]).toEqual([]);
      expect(await runProgram(['metrics', 'verify'], place)).toMatchObject({ code: 0 });
    }, 120_000);
  });
});

/** Partitions that each of the two reads. */
async function active(place: StandardPlace): Promise<readonly number[]> {
  return [await activeOf(place, 'readers'), await activeOf(place, 'readers-2')];
}

async function activeOf(place: StandardPlace, name: string): Promise<number> {
  const response = await fetch(`${place.service(name).url}/metrics`);
  return Number(/^event_hub_archive_active (\d+)$/m.exec(await response.text())?.[1]);
}
