import { join } from 'node:path';
import { startChild } from '../load/child.ts';
import { startHubChild } from '../load/hub.ts';
import { type Scenario, withFolder } from '../scenario.ts';

const batchEvents = 5_000;
/** Long enough that the start of a cold process does not count. */
const events = 400_000;

interface Speed {
  readonly perSecond: number;
}

/** (b) NDJSON batches against node:sqlite inserting the same rows in bulk into the same schema. */
export const batches: Scenario = {
  name: `b: NDJSON batches of ${batchEvents}`,
  run: async () => {
    const ratios: number[] = [];
    for (let seed = 1; seed <= 3; seed += 1) {
      const [bare, hub] = [await bareSpeed(seed), await hubSpeed(seed)];
      ratios.push(hub / bare);
    }
    ratios.sort((a, b) => a - b);
    return [
      {
        figure: 'of node:sqlite inserting the same rows (median of three rounds)',
        ratio: ratios[1] ?? 0,
        wanted: '>= 0.6',
      },
    ];
  },
};

async function bareSpeed(seed: number): Promise<number> {
  return await withFolder(async (folder) => {
    const bare = await startChild(new URL('../bare/sqlite-insert.ts', import.meta.url));
    const file = join(folder, 'bare.db');
    const { perSecond } = await bare.ask<Speed>({ file, events, batchEvents, seed });
    await bare.stop();
    return perSecond;
  });
}

async function hubSpeed(seed: number): Promise<number> {
  return await withFolder(async (folder) => {
    const hub = await startHubChild(folder);
    const load = await startChild(new URL('../load/batch-load-process.ts', import.meta.url));
    const { port } = hub.ready;
    const { perSecond } = await load.ask<Speed>({
      port,
      events,
      batchEvents,
      concurrency: 3,
      seed,
      ids: true,
    });
    await Promise.all([load.stop(), hub.stop()]);
    return perSecond;
  });
}
