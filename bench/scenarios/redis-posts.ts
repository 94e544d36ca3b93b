import { againstBareHttp } from '../load/against-bare.ts';
import { startHubChild } from '../load/hub.ts';
import { withStandardEngines } from '../load/standard-engines.ts';
import { type Scenario, withFolder } from '../scenario.ts';

/**
 * (g) Single durable POST /events onto Redis with `appendfsync always`, role
 * http alone. The hub makes the ids: those of clients cost a look into MongoDB.
 */
export const redisPosts: Scenario = {
  name: 'g: single durable POST /events onto Redis, 64 connections',
  run: async ({ seconds }) =>
    await withStandardEngines(({ redis, mongo }) =>
      withFolder(async (folder) => {
        const engines = {
          log: redis.url,
          store: mongo.urlOf('event_hub'),
          roles: ['http'],
        } as const;
        const hub = await startHubChild(folder, engines);
        const ratio = await againstBareHttp(hub, { seconds, ids: false });
        await hub.stop();
        const figure = 'of bare node:http (median of three rounds)';
        return [{ figure, ratio, wanted: '>= 0.7' }];
      }),
    ),
};
