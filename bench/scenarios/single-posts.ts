import { startChild } from '../load/child.ts';
import type { LoadResult } from '../load/http-load.ts';
import { startHubChild } from '../load/hub.ts';
import { type Scenario, withFolder } from '../scenario.ts';

const connections = 64;

/** (a) Single durable POST /events against a bare node:http server, alternating, so that both meet the same machine. */
export const singlePosts: Scenario = {
  name: 'a: single durable POST /events, 64 connections',
  run: async ({ seconds }) =>
    await withFolder(async (folder) => {
      const load = await startChild(new URL('../load/http-load-process.ts', import.meta.url));
      const bare = await startChild(new URL('../bare/http-server.ts', import.meta.url));
      const hub = await startHubChild(folder);
      const rounds: { bare: number; hub: number }[] = [];
      let seed = 0;
      const measure = async (child: { readonly ready: unknown }, durationMs: number) => {
        const { port } = child.ready as { readonly port: number };
        seed += 1;
        const result = await load.ask<LoadResult>({ port, connections, durationMs, seed });
        if (result.refused > 0) throw new Error(`${result.refused} answers were refusals`);
        return result.perSecond;
      };
      await measure(bare, 2_000);
      await measure(hub, 3_000);
      for (let round = 0; round < 3; round += 1) {
        rounds.push({
          bare: await measure(bare, (seconds * 1_000) / 3),
          hub: await measure(hub, (seconds * 1_000) / 3),
        });
      }
      await Promise.all([load.stop(), bare.stop(), hub.stop()]);
      const ratios = rounds.map((round) => round.hub / round.bare).sort((a, b) => a - b);
      return [
        {
          figure: 'of bare node:http (median of three rounds)',
          ratio: ratios[1] ?? 0,
          wanted: '>= 0.75',
        },
      ];
    }),
};
