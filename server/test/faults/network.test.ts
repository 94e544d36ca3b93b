import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CutProxy } from '../support/cut-proxy.ts';
import { describeWithOwnEngines } from '../support/needed-program.ts';
import { postEvents } from '../support/rest-calls.ts';
import { checkRun, type Verdict } from './rig/check-run.ts';
import { settle } from './rig/crash-run.ts';
import { type Follower, startFollowers } from './rig/followers.ts';
import type { SentEvent } from './rig/history.ts';
import { aProbe, servesAgain, tryReads } from './rig/hub-probes.ts';
import { type Load, startLoad } from './rig/load.ts';
import { standardLoad } from './rig/standard-harness.ts';
import { placeStandard, type StandardPlace } from './rig/standard-place.ts';

const returnMsMax = 10_000;

interface Cut {
  readonly what: string;
  /** Before the event is sent. */
  readonly before?: (network: CutProxy) => void;
  /** In the turn in which it was sent. */
  readonly once?: (network: CutProxy) => void;
  /** What a second send of the event is answered: whether the first one came through. */
  readonly retry: 200 | 201;
}

const cuts: readonly Cut[] = [
  {
    what: 'requests vanish',
    before: (network) => network.drop('to-server'),
    retry: 201,
  },
  {
    what: 'answers vanish after the request was sent',
    once: (network) => network.drop('to-client'),
    retry: 200,
  },
  {
    what: 'the connection is reset when the request was sent',
    // Its bytes are on their way to Redis, which has them before the connection ends, or not.
    once: (network) => {
      network.stall('to-client');
      setTimeout(() => network.reset(), 200);
    },
    retry: 200,
  },
];

describeWithOwnEngines('a network between the hub and its engines', ['redis', 'mongo'], () => {
  let place: StandardPlace;
  let load: Load;
  let followers: readonly Follower[];
  let verdict: Verdict;

  beforeAll(async () => {
    place = await placeStandard({ withNetwork: true });
    await place.start();
    load = startLoad(place, { ...standardLoad, seed: 'network' });
    followers = startFollowers(place);
  }, 120_000);

  afterAll(async () => {
    await Promise.all(followers.map((follower) => follower.stop()));
    await place.remove();
  });

  function networkTo(engine: 'log' | 'mongo'): CutProxy {
    const network = place.networks?.[engine];
    if (network === undefined) throw new Error('there is no network here');
    return network;
  }

  /** Milliseconds. */
  async function heal(network: CutProxy, what: string): Promise<void> {
    network.heal();
    const ms = await servesAgain(place, load.history);
    process.stdout.write(`${what}: service ${Math.round(ms)} ms after the network's return\n`);
    expect(ms).toBeLessThan(returnMsMax);
  }

  async function send(event: SentEvent) {
    event.sends += 1;
    const answer = await postEvents(place.url, event.input);
    const { status, json } = answer;
    if (status === 201) load.history.note(event, { ...json, status: 'success' });
    else if (status === 200) load.history.note(event, { ...json, status: 'duplicate' });
    else load.history.note(event, { status: 'unknown', id: json.ids?.[0], code: json.code });
    return answer;
  }

  describe.each(cuts)('to Redis where $what', ({ what, before, once, retry }) => {
    it('makes the hub say that it does not know, send nothing again by itself, and come back', async () => {
      const network = networkTo('log');
      const usual = aProbe(load.history);
      expect(await send(usual)).toMatchObject({ status: 201 });
      const timesUsual = network.timesSent(String(usual.id));

      const event = aProbe(load.history);
      before?.(network);
      if (once !== undefined) network.onceSent(String(event.id), () => once(network));
      const answer = await send(event);
      expect(answer).toMatchObject({ status: 503, json: { code: 'unavailable', ids: [event.id] } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      await heal(network, `to Redis, ${what}`);
      expect(network.timesSent(String(event.id))).toBeLessThanOrEqual(timesUsual);
      expect(await send(event)).toMatchObject({ status: retry });
    }, 120_000);
  });

  it('to Redis that stalls in both directions and goes on loses nothing', async () => {
    const network = networkTo('log');
    network.stall('to-server');
    network.stall('to-client');
    await sleep(2_000);
    await heal(network, 'to Redis, a stall of 2 s');
  }, 120_000);

  describe.each(['to-server', 'to-client'] as const)('to MongoDB, cut %s', (direction) => {
    it('lets the hub take events on, refuses reads, and everything is counted when it is back', async () => {
      const network = networkTo('mongo');
      network.drop(direction);
      await expect
        .poll(async () => await tryReads(place), { timeout: 30_000 })
        .toEqual([refusal, refusal]);
      const event = aProbe(load.history);
      expect(await send(event)).toMatchObject({ status: 201 });
      await heal(network, `to MongoDB, cut ${direction}`);
    }, 120_000);
  });

  it('to MongoDB that is reset or stalls is not noticed in what is stored', async () => {
    const network = networkTo('mongo');
    for (let round = 0; round < 5; round += 1) {
      network.reset();
      await sleep(200);
    }
    network.stall('to-client');
    await sleep(2_000);
    await heal(network, 'to MongoDB, five resets and a stall of 2 s');
  }, 120_000);

  it('that was cut in all these ways has lost nothing and doubled nothing', async () => {
    await load.stop();
    const evidence = await settle(place, followers, load.history);
    verdict = checkRun({ ...evidence, kept: await place.readKept() });
    const { lost, duplicated, unexpected, acknowledged, unknown, unknownStored } = verdict;
    const counts = { acknowledged, lost, duplicated, unexpected, unknown, unknownStored };
    process.stdout.write(`network: ${JSON.stringify(counts)}\n`);
    expect([...verdict.faults.slice(0, 20), ...place.ended()]).toEqual([]);
  }, 120_000);
});

const refusal = expect.objectContaining({
  status: 503,
  code: 'unavailable',
  retryAfter: expect.stringMatching(/^[1-9]/),
});
