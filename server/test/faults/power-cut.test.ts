import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeWith, describeWithOwnEngines } from '../support/needed-program.ts';
import { PowerCut } from '../support/page-cache.ts';
import { startLoad } from './rig/load.ts';
import { readStream } from './rig/read-engines.ts';
import { placeStandard, type StandardPlace } from './rig/standard-place.ts';

/** Events that were answered with success and are not in the stream when Redis is back. */
interface Outcome {
  readonly acknowledged: number;
  readonly lostByKill: number;
  readonly lostByPowerCut: number;
}

const weak = { EVENT_HUB_ALLOW_WEAK_DURABILITY: 'true' };

/**
 * A SIGKILL alone cannot show whether Redis syncs: with every policy it writes
 * before it answers, and what it has written to the kernel outlives it. So what
 * the kernel had not brought to the disk is then taken from the files, as a
 * power cut would.
 */
describeWith('an answer of success', 'cachestat', () => {
  describeWithOwnEngines('before Redis is killed', ['redis', 'mongo'], () => {
    it('outlives a power cut with appendfsync always', async () => {
      const outcome = await killAndCut({ appendfsync: 'always' });
      expect(outcome).toMatchObject({ lostByKill: 0, lostByPowerCut: 0 });
      expect(outcome.acknowledged).toBeGreaterThan(100);
    }, 300_000);

    it('does not with appendfsync no, and the same check sees it', async () => {
      const outcome = await killAndCut({ appendfsync: 'no' }, weak);
      expect(outcome.lostByPowerCut).toBeGreaterThan(0);
    }, 300_000);

    it('does not outlive the kill with appendonly no', async () => {
      const outcome = await killAndCut({ appendonly: 'no' }, weak);
      expect(outcome.lostByKill).toBeGreaterThan(0);
    }, 300_000);
  });
});

async function killAndCut(
  redisSettings: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const place = await placeStandard({ readers: 0, redisSettings, env });
  try {
    await place.start();
    const load = startLoad(place, { seed: 'power', batchMax: 20 });
    await sleep(2_000);
    await place.redis.kill();
    const cut =
      redisSettings.appendonly === 'no'
        ? undefined
        : PowerCut.at(join(place.redis.folder, 'appendonlydir'));
    await Promise.all(place.services.map((service) => service.kill()));
    await load.stop();
    const acknowledged = load.history.stored.map(({ id }) => id ?? '');
    const lostByKill = await missingAfterStart(place, acknowledged);
    await place.redis.kill();
    const bytes = cut?.happen() ?? 0;
    const lostByPowerCut = await missingAfterStart(place, acknowledged);
    process.stdout.write(
      `${JSON.stringify(redisSettings)}: acknowledged ${acknowledged.length}, lost by SIGKILL ${lostByKill}, by the power cut ${lostByPowerCut} (${bytes} bytes)\n`,
    );
    return { acknowledged: acknowledged.length, lostByKill, lostByPowerCut };
  } finally {
    await place.remove();
  }
}

async function missingAfterStart(
  { redis }: StandardPlace,
  acknowledged: readonly string[],
): Promise<number> {
  await redis.start();
  const entries = await readStream(redis.url);
  const ids = new Set(entries.map(({ fields }) => fields.event_id));
  return acknowledged.filter((id) => !ids.has(id)).length;
}
