import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithOwnEngines } from '../support/needed-program.ts';
import { get } from '../support/rest-calls.ts';
import { checkRun } from './rig/check-run.ts';
import { settle } from './rig/crash-run.ts';
import { type Follower, startFollowers } from './rig/followers.ts';
import { servesAgain } from './rig/hub-probes.ts';
import { type Load, startLoad } from './rig/load.ts';
import { standardLoad } from './rig/standard-harness.ts';
import { placeStandard, type Service, type StandardPlace } from './rig/standard-place.ts';

const takeoverMsMax = 10_000;
const rounds = 2;

interface Held {
  readonly holder: string;
  readonly epoch: number;
}

describeWithOwnEngines(
  'an active reader that freezes for longer than its lease',
  ['redis', 'mongo'],
  () => {
    let place: StandardPlace;
    let mongo: MongoClient;
    let load: Load;
    let followers: readonly Follower[];

    beforeAll(async () => {
      place = await placeStandard({ readers: 2 });
      await place.start();
      mongo = await MongoClient.connect(place.mongo.urlOf('event_hub'));
      load = startLoad(place, { ...standardLoad, seed: 'frozen' });
      followers = startFollowers(place);
      await servesAgain(place, load.history);
    }, 120_000);

    afterAll(async () => {
      await Promise.all(followers.map((follower) => follower.stop()));
      await mongo.close();
      await place.remove();
    });

    it('is replaced within 10 s, writes nothing when it wakes, and may be active again later', async () => {
      for (let round = 1; round <= rounds; round += 1) {
        const before = await lease();
        const frozen = await activeReader();
        // Anywhere in its work: between two transactions, or in one.
        await sleep(37 * round);
        frozen.signal('SIGSTOP');
        const ms = await servesAgain(place, load.history);
        const during = await lease();
        expect(during.holder).not.toBe(before.holder);
        expect(during.epoch).toBeGreaterThan(before.epoch);
        expect(ms).toBeLessThan(takeoverMsMax);

        frozen.signal('SIGCONT');
        await expect.poll(async () => await metric(frozen, 'archive_active')).toBe(0);
        const recorded = await metric(frozen, 'archived_entries_total{result="recorded"}');
        await servesAgain(place, load.history);
        await sleep(2_000);
        expect(await metric(frozen, 'archived_entries_total{result="recorded"}')).toBe(recorded);
        expect(await lease()).toEqual(during);
        process.stdout.write(
          `${frozen.name} frozen: counted again after ${Math.round(ms)} ms, epoch ${before.epoch} -> ${during.epoch}, ${recorded} recorded by it before and after\n`,
        );
      }
    }, 240_000);

    it('has counted nothing twice and left nothing out', async () => {
      await load.stop();
      const evidence = await settle(place, followers, load.history);
      const verdict = checkRun({ ...evidence, kept: await place.readKept() });
      const { acknowledged, lost, duplicated } = verdict;
      process.stdout.write(
        `frozen readers: acknowledged ${acknowledged}, lost ${lost}, duplicated ${duplicated}\n`,
      );
      expect([...verdict.faults, ...place.ended()]).toEqual([]);
    }, 120_000);

    async function lease(): Promise<Held> {
      const found = await mongo
        .db()
        .collection<{ _id: string; holder: string; epoch: number }>('leases')
        .findOne({ _id: /^archive/ });
      if (found === null) throw new Error('nobody holds the lease of the archive');
      return { holder: found.holder, epoch: found.epoch };
    }

    async function activeReader(): Promise<Service> {
      for (const service of place.services.slice(2)) {
        if ((await metric(service, 'archive_active')) === 1) return service;
      }
      throw new Error('no reader is active');
    }
  },
);

/** 0 where it is not there. */
async function metric({ url }: Service, name: string): Promise<number> {
  const { text } = await get(url, '/metrics');
  const line = text.split('\n').find((each) => each.split(' ')[0]?.endsWith(name));
  return Number(line?.split(' ')[1] ?? 0);
}
