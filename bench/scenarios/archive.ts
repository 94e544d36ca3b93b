import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../../server/src/base/limits.ts';
import type { Position } from '../../server/src/log/event-log.ts';
import { withGroupCommit } from '../../server/src/log/group-commit.ts';
import { openRedisLog } from '../../server/src/log/redis/redis-log.ts';
import { openMongoStore } from '../../server/src/store/mongo/mongo-store.ts';
import { startChild } from '../load/child.ts';
import { fillLog, madeEvents } from '../load/fill.ts';
import { startHubChild } from '../load/hub.ts';
import { type StandardEngines, withStandardEngines } from '../load/standard-engines.ts';
import { type Scenario, withFolder } from '../scenario.ts';

const events = 150_000;
const rounds = 3;

/** (i) The archive reader against a bare loop of MongoDB transactions that insert the same documents. */
export const archive: Scenario = {
  name: 'i: the archive reader, from Redis into MongoDB',
  run: async () =>
    await withStandardEngines(async (engines) => {
      const ratios: number[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        const [bare, reader] = [await bareSpeed(engines, round), await readerSpeed(engines, round)];
        ratios.push(reader / bare);
      }
      const figure = `of bare transactions of ${limits.archiveEntries} documents (median of ${rounds} rounds)`;
      return [{ figure, ratio: ratios.sort((a, b) => a - b)[1] ?? 0, wanted: '>= 0.7' }];
    }),
};

async function bareSpeed({ mongo }: StandardEngines, round: number): Promise<number> {
  const bare = await startChild(new URL('../bare/mongo-insert.ts', import.meta.url));
  const url = mongo.urlOf(`bare_${round}`);
  const batchEvents = limits.archiveEntries;
  const { perSecond } = await bare.ask<{ perSecond: number }>({ url, events, batchEvents });
  await bare.stop();
  return perSecond;
}

/** From the first events in the store to the last, so that the start of the process does not count. */
async function readerSpeed({ redis, mongo }: StandardEngines, round: number): Promise<number> {
  const log = withGroupCommit(
    await openRedisLog(`${redis.url}?stream=hub-${round}`, { exclusive: true }),
  );
  await fillLog(log, madeEvents(), events);
  const end = (await log.end()) as Position;
  await log.close();
  const url = mongo.urlOf(`hub_${round}`);
  const store = await openMongoStore(url, { exclusive: true });
  const perSecond = await withFolder(async (folder) => {
    const roles = ['readers'] as const;
    const hub = await startHubChild(folder, {
      log: `${redis.url}?stream=hub-${round}`,
      store: url,
      roles,
    });
    while ((await store.positions()).size === 0) await sleep(5);
    const startedMs = performance.now();
    const before = await countOf(store);
    // Seldom, so that asking takes nothing from what is measured.
    while (![...(await store.positions()).values()].includes(end)) await sleep(100);
    const seconds = (performance.now() - startedMs) / 1_000;
    await hub.stop();
    return (events - before) / seconds;
  });
  await store.close();
  return perSecond;
}

async function countOf(store: Awaited<ReturnType<typeof openMongoStore>>): Promise<number> {
  const window = { from: 0, to: Number.MAX_SAFE_INTEGER, filter: {} };
  const { buckets } = await store.aggregate(window);
  return buckets.reduce((sum, { eventCount }) => sum + eventCount, 0);
}
