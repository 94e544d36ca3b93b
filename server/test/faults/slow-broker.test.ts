import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithOwnEngines } from '../support/needed-program.ts';
import { checkShardedRun } from './rig/check-sharded-run.ts';
import { settle } from './rig/crash-run.ts';
import { type Follower, startFollowers } from './rig/followers.ts';
import { servesAgain } from './rig/hub-probes.ts';
import { runProgram } from './rig/hub-process.ts';
import { type Load, startLoad } from './rig/load.ts';
import { standardLoad } from './rig/standard-harness.ts';
import { placeStandard, type StandardPlace } from './rig/standard-place.ts';

/** Of every answer of the broker: long beside the work of a reader, short beside its leases. */
const latencyMs = 300;
const shards = 6;
/** Two cores hold a broker, MongoDB, four processes and the load: the promise is 10 s where they do not. */
const takeover = { timeout: 20_000, interval: 100 };

describeWithOwnEngines(
  'a broker that answers late while readers come and go',
  ['kafka', 'mongo'],
  () => {
    let place: StandardPlace;
    let load: Load;
    let followers: readonly Follower[];

    beforeAll(async () => {
      place = await placeStandard({ log: 'kafka', readers: 2, withNetwork: true });
      await place.start();
      load = startLoad(place, { ...standardLoad, seed: 'slow broker', hasLagWindow: true });
      followers = startFollowers(place);
      await servesAgain(place, load.history);
    }, 240_000);

    afterAll(async () => {
      await Promise.all(followers.map((follower) => follower.stop()));
      await place.remove();
    });

    /** Shards that each of the two reads; none of one that does not run. */
    async function active(): Promise<readonly number[]> {
      return await Promise.all(['readers', 'readers-2'].map(activeOf));
    }

    async function activeOf(name: string): Promise<number> {
      const service = place.service(name);
      if (!service.isRunning) return 0;
      const response = await fetch(`${service.url}/metrics`);
      return Number(/^event_hub_archive_active (\d+)$/m.exec(await response.text())?.[1] ?? 0);
    }

    async function handsOver(when: string, wanted: readonly number[]): Promise<void> {
      const startedMs = performance.now();
      await expect.poll(active, takeover).toEqual(wanted);
      const ms = Math.round(performance.now() - startedMs);
      process.stdout.write(`${latencyMs} ms late, ${when}: shards handed over in ${ms} ms\n`);
    }

    /** Events that were answered with success from here on. */
    async function takesOn(): Promise<void> {
      const before = load.history.stored.length;
      await expect.poll(() => load.history.stored.length, takeover).toBeGreaterThan(before + 20);
    }

    it('takes events on, and hands the shards over to those who are there', async () => {
      await expect.poll(active, takeover).toEqual([3, 3]);
      place.networks?.log.delay('to-client', latencyMs);
      await takesOn();
      for (const [killed, other] of [
        ['readers-2', [shards, 0]],
        ['readers', [0, shards]],
      ] as const) {
        await place.service(killed).kill();
        await handsOver(`after the death of ${killed}`, other);
        await takesOn();
        await place.service(killed).start();
        await handsOver(`after ${killed} came back`, [3, 3]);
        await takesOn();
      }
      // The events of it waited for the broker at least once.
      expect(await servesAgain(place, load.history)).toBeGreaterThan(latencyMs);
      expect(place.ended()).toEqual([]);
    }, 300_000);

    it('loses nothing that was acknowledged, and counts nothing twice', async () => {
      await load.stop();
      place.networks?.log.heal();
      const evidence = await settle(place, followers, load.history);
      const verdict = checkShardedRun({ ...evidence, kept: await place.readKept() });
      const { acknowledged, lost, duplicated, unknown } = verdict;
      process.stdout.write(
        `a broker that answers ${latencyMs} ms late: ${JSON.stringify({ acknowledged, lost, duplicated, unknown })}\n`,
      );
      expect([...verdict.faults, ...place.ended()]).toEqual([]);
      expect(await runProgram(['metrics', 'verify'], place)).toMatchObject({ code: 0 });
    }, 120_000);
  },
);
