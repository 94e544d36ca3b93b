import { startChild } from '../load/child.ts';
import { startHubChild } from '../load/hub.ts';
import { type StandardEngines, withStandardEngines } from '../load/standard-engines.ts';
import { type Scenario, withFolder } from '../scenario.ts';

const load = { batchEvents: 5_000, events: 200_000, concurrency: 3 };

interface Speed {
  readonly perSecond: number;
}

/** (h) NDJSON batches onto Redis against the same client pipelining bare XADDs. */
export const redisBatches: Scenario = {
  name: `h: NDJSON batches of ${load.batchEvents} onto Redis`,
  run: async () =>
    await withStandardEngines(async (engines) => {
      const ratios: number[] = [];
      for (let seed = 1; seed <= 3; seed += 1) {
        const [bare, hub] = [await bareSpeed(engines, seed), await hubSpeed(engines, seed)];
        ratios.push(hub / bare);
      }
      const figure = 'of bare XADDs, pipelined (median of three rounds)';
      return [{ figure, ratio: ratios.sort((a, b) => a - b)[1] ?? 0, wanted: '>= 0.6' }];
    }),
};

async function bareSpeed({ redis }: StandardEngines, seed: number): Promise<number> {
  const bare = await startChild(new URL('../bare/redis-xadd.ts', import.meta.url));
  const { perSecond } = await bare.ask<Speed>({ ...load, url: redis.url, seed });
  await bare.stop();
  return perSecond;
}

/** Each round on a stream of its own, and without ids of clients' own a look into MongoDB is spared. */
async function hubSpeed({ redis, mongo }: StandardEngines, seed: number): Promise<number> {
  return await withFolder(async (folder) => {
    const hub = await startHubChild(folder, {
      log: `${redis.url}?stream=hub-${seed}`,
      store: mongo.urlOf(`hub_${seed}`),
      roles: ['http'],
    });
    const sender = await startChild(new URL('../load/batch-load-process.ts', import.meta.url));
    const { port } = hub.ready;
    const { perSecond } = await sender.ask<Speed>({ ...load, port, seed, ids: false });
    await Promise.all([sender.stop(), hub.stop()]);
    return perSecond;
  });
}
