import { availableParallelism } from 'node:os';
import { createClient } from '@redis/client';
import { againstBareHttp } from '../load/against-bare.ts';
import { startHubChild } from '../load/hub.ts';
import { withStandardEngines } from '../load/standard-engines.ts';
import { type Scenario, withFolder } from '../scenario.ts';

/**
 * (g) Single durable POST /events onto Redis with `appendfsync always`, role
 * http alone. The hub makes the ids: those of clients cost a look into MongoDB.
 *
 * Two figures explain the first. On few cores the bare server and its load leave
 * nothing idle, so that what Redis needs is taken from the requests: the last
 * figure is what would be left of the bare rate if the hub, beside the HTTP and
 * the JSON of the bare server, needed no time at all.
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
        const engineMs = () => redisProcessorMs(redis.url);
        const { ratio, ...sides } = await againstBareHttp(hub, { seconds, ids: false, engineMs });
        await hub.stop();
        const coresUs = availableParallelism() * 1_000_000;
        const bareShare = (sides.bare.perSecond * sides.bare.cpuUs) / coresUs;
        const ideal = coresUs / (sides.bare.cpuUs + sides.hub.engineUs) / sides.bare.perSecond;
        return [
          { figure: 'of bare node:http (median of three rounds)', ratio, wanted: '>= 0.7' },
          { figure: "of all cores' time goes to the bare server and its load", ratio: bareShare },
          { figure: 'of bare at the most, if all but Redis were free', ratio: ideal },
        ];
      }),
    ),
};

/** Of its main thread and its children, since its start. */
async function redisProcessorMs(url: string): Promise<number> {
  const client = await createClient({ url }).connect();
  const info = await client.info('cpu');
  client.destroy();
  const seconds = [...info.matchAll(/^used_cpu_(?:sys|user)(?:_children)?:([\d.]+)/gm)];
  return seconds.reduce((sum, [, value]) => sum + Number(value), 0) * 1_000;
}
