import { createClient } from '@redis/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithOwnEngines } from '../support/needed-program.ts';
import { postEvents, type RestAnswer } from '../support/rest-calls.ts';
import { checkRun } from './rig/check-run.ts';
import { settle } from './rig/crash-run.ts';
import { History } from './rig/history.ts';
import { aProbe, servesAgain, tryReads } from './rig/hub-probes.ts';
import { placeStandard, type StandardPlace } from './rig/standard-place.ts';

describeWithOwnEngines('a Redis that is out of memory', ['redis', 'mongo'], () => {
  const history = new History();
  let place: StandardPlace;
  let refused: RestAnswer;

  beforeAll(async () => {
    place = await placeStandard({ redisSettings: { maxmemory: '4mb' } });
    await place.start();
  }, 120_000);

  afterAll(() => place.remove());

  it('is answered 503 with the reason and a time to come back, and nothing is half there', async () => {
    for (;;) {
      const sent = aProbe(history, { metadata: { note: 'x'.repeat(16_000) } });
      sent.sends += 1;
      refused = await postEvents(place.url, sent.input);
      if (refused.status !== 201) break;
      history.note(sent, { ...refused.json, status: 'success' });
      expect(history.events.length).toBeLessThan(5_000);
    }
    expect(refused).toMatchObject({
      status: 503,
      json: { code: 'overloaded', detail: expect.stringContaining('out of memory') },
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('is still read from', async () => {
    for (const { status } of await tryReads(place)) expect(status).toBe(200);
  });

  it('takes events again as soon as there is room, with no restart', async () => {
    const redis = await createClient({ url: place.redis.url }).connect();
    await redis.configSet('maxmemory', '64mb');
    redis.destroy();
    expect(await servesAgain(place, history)).toBeLessThan(10_000);
  });

  it('has lost nothing that was acknowledged and kept nothing that was refused', async () => {
    const evidence = await settle(place, [], history);
    const verdict = checkRun({ ...evidence, kept: await place.readKept() });
    process.stdout.write(
      `Redis out of memory: acknowledged ${verdict.acknowledged}, stored ${verdict.stored}, lost ${verdict.lost}\n`,
    );
    expect(verdict.faults).toEqual([]);
    expect(verdict.stored).toBe(verdict.acknowledged);
  });
});
