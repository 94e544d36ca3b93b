import { startChild } from '../load/child.ts';
import { startHubChild } from '../load/hub.ts';
import { type Scenario, withFolder } from '../scenario.ts';

const eventsPerSecond = 2_000;

/** (d) How long after its answer an event reaches a live subscriber. */
export const answerToSubscriber: Scenario = {
  name: `d: answer to subscriber at ${eventsPerSecond} events/s`,
  run: async ({ seconds }) =>
    await withFolder(async (folder) => {
      const hub = await startHubChild(folder);
      const load = await startChild(new URL('../load/stream-load-process.ts', import.meta.url));
      const { port } = hub.ready;
      const { p99Ms, seen, sent } = await load.ask<{ p99Ms: number; seen: number; sent: number }>({
        port,
        eventsPerSecond,
        seconds,
      });
      await Promise.all([load.stop(), hub.stop()]);
      if (seen !== sent) throw new Error(`the subscriber saw ${seen} of ${sent} events`);
      return [{ figure: 'p99 in ms', ratio: p99Ms, wanted: '< 15' }];
    }),
};
