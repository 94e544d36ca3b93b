import { againstBareHttp } from '../load/against-bare.ts';
import { startHubChild } from '../load/hub.ts';
import { type Scenario, withFolder } from '../scenario.ts';

/** (a) Single durable POST /events against a bare node:http server. */
export const singlePosts: Scenario = {
  name: 'a: single durable POST /events, 64 connections',
  run: async ({ seconds }) =>
    await withFolder(async (folder) => {
      const hub = await startHubChild(folder);
      const { ratio } = await againstBareHttp(hub, { seconds, ids: true });
      await hub.stop();
      const figure = 'of bare node:http (median of three rounds)';
      return [{ figure, ratio, wanted: '>= 0.75' }];
    }),
};
