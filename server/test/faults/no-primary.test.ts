import { MongoClient, MongoNetworkError } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithOwnEngines } from '../support/needed-program.ts';
import { checkRun } from './rig/check-run.ts';
import { settle } from './rig/crash-run.ts';
import { type Follower, startFollowers } from './rig/followers.ts';
import { servesAgain, tryIngest, tryReads } from './rig/hub-probes.ts';
import { type Load, startLoad } from './rig/load.ts';
import { standardLoad } from './rig/standard-harness.ts';
import { placeStandard, type StandardPlace } from './rig/standard-place.ts';

describeWithOwnEngines('a MongoDB with no primary', ['redis', 'mongo'], () => {
  let place: StandardPlace;
  let mongo: MongoClient;
  let load: Load;
  let followers: readonly Follower[];

  beforeAll(async () => {
    place = await placeStandard();
    await place.start();
    mongo = await MongoClient.connect(place.mongo.urlOf('admin'));
    load = startLoad(place, { ...standardLoad, seed: 'no primary' });
    followers = startFollowers(place);
    await servesAgain(place, load.history);
  }, 120_000);

  afterAll(async () => {
    await Promise.all(followers.map((follower) => follower.stop()));
    await mongo.close();
    await place.remove();
  });

  it('stops neither ingest nor the hub: reads are answered 503 with a time to come back', async () => {
    const command = { replSetStepDown: 15, force: true };
    await mongo
      .db('admin')
      .command(command)
      .catch((reason) => {
        if (!(reason instanceof MongoNetworkError)) throw reason;
      });
    await expect
      .poll(async () => await tryReads(place), { timeout: 10_000, interval: 100 })
      .toEqual([refusal, refusal]);
    expect(await tryIngest(place, load.history)).toMatchObject({ status: 201 });
    expect(await isPrimary()).toBe(false);
  });

  it('is found again by itself within 10 s of the election', async () => {
    await expect.poll(isPrimary, { timeout: 60_000, interval: 20 }).toBe(true);
    const ms = await servesAgain(place, load.history);
    process.stdout.write(`no primary: service ${Math.round(ms)} ms after the election\n`);
    expect(ms).toBeLessThan(10_000);
  });

  it('has lost nothing and doubled nothing', async () => {
    await load.stop();
    const evidence = await settle(place, followers, load.history);
    const verdict = checkRun({ ...evidence, kept: await place.readKept() });
    const { acknowledged, lost, duplicated } = verdict;
    process.stdout.write(
      `no primary: acknowledged ${acknowledged}, lost ${lost}, duplicated ${duplicated}\n`,
    );
    expect([...verdict.faults, ...place.ended()]).toEqual([]);
  });

  async function isPrimary(): Promise<boolean> {
    const hello = await mongo
      .db('admin')
      .command({ hello: 1 })
      .catch(() => undefined);
    return hello?.isWritablePrimary === true;
  }
});

const refusal = expect.objectContaining({
  status: 503,
  code: 'unavailable',
  retryAfter: expect.stringMatching(/^[1-9]/),
});
