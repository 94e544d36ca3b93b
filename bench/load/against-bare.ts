import { type Child, startChild } from './child.ts';
import type { LoadResult } from './http-load.ts';

const connections = 64;

/**
 * Single `POST /events` on a hub against a bare `node:http` server that parses
 * the JSON and answers: alternating, so that both meet the same machine. The
 * answer is the median ratio of three rounds.
 */
export async function againstBareHttp(
  hub: Child,
  { seconds, ids }: { readonly seconds: number; readonly ids: boolean },
): Promise<number> {
  const load = await startChild(new URL('./http-load-process.ts', import.meta.url));
  const bare = await startChild(new URL('../bare/http-server.ts', import.meta.url));
  let seed = 0;
  const perSecond = async (child: Child, durationMs: number) => {
    const { port } = child.ready as { readonly port: number };
    seed += 1;
    const result = await load.ask<LoadResult>({ port, connections, durationMs, seed, ids });
    if (result.refused > 0) throw new Error(`${result.refused} answers were refusals`);
    return result.perSecond;
  };
  await perSecond(bare, 2_000);
  await perSecond(hub, 3_000);
  const ratios: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const limit = await perSecond(bare, (seconds * 1_000) / 3);
    ratios.push((await perSecond(hub, (seconds * 1_000) / 3)) / limit);
  }
  await Promise.all([load.stop(), bare.stop()]);
  return ratios.sort((a, b) => a - b)[1] ?? 0;
}
