import { type Child, startChild } from '../load/child.ts';
import { startHubChild } from '../load/hub.ts';
import { type Scenario, withFolder } from '../scenario.ts';

/** (c) gRPC: unary against a bare echo, then the stream and batches against our own unary. */
export const grpcIngest: Scenario = {
  name: 'c: gRPC ingest',
  run: async ({ seconds }) =>
    await withFolder(async (folder) => {
      const load = await startChild(new URL('../load/grpc-load-process.ts', import.meta.url));
      const bare = await startChild(new URL('../bare/grpc-echo.ts', import.meta.url));
      const hub = await startHubChild(folder);
      let seed = 0;
      const measure = async (child: Child, call: string, share: number) => {
        seed += 1;
        const address = (child.ready as { readonly grpc: string }).grpc;
        const order = { address, call, seconds: Math.max(1, seconds * share), seed };
        return (await load.ask<{ perSecond: number }>(order)).perSecond;
      };
      await measure(bare, 'unary', 0.1);
      await measure(hub, 'unary', 0.2);
      const rounds: (readonly [number, number, number])[] = [];
      for (let round = 0; round < 3; round += 1) {
        const bareUnary = await measure(bare, 'unary', 0.3);
        const unary = await measure(hub, 'unary', 0.3);
        const bidirectional = await measure(hub, 'bidirectional', 0.3);
        const batch = await measure(hub, 'batch', 0.3);
        rounds.push([unary / bareUnary, bidirectional / unary, batch / unary] as const);
      }
      await Promise.all([load.stop(), bare.stop(), hub.stop()]);
      const median = (at: 0 | 1 | 2) =>
        rounds.map((round) => round[at]).sort((a, b) => a - b)[1] ?? 0;
      return [
        { figure: 'unary, of a bare grpc-js echo', ratio: median(0), wanted: '>= 0.8' },
        { figure: 'bidirectional, times unary', ratio: median(1), wanted: '>= 3' },
        { figure: 'batches of 500, times unary', ratio: median(2), wanted: '>= 10' },
      ];
    }),
};
