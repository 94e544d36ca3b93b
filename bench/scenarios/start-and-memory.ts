import { startChild } from '../load/child.ts';
import { startHubChild } from '../load/hub.ts';
import { quarterGrowth, residentMb } from '../load/memory.ts';
import { type Scenario, withFolder } from '../scenario.ts';

const starts = 5;
const batchEvents = 5_000;

/** (f) How soon the hub is ready, and its memory through many events. */
export const startAndMemory: Scenario = {
  name: 'f: start and memory',
  run: async ({ soakEvents }) => {
    const ready = await readyMs();
    const { idleMb, peakMb, growth } = await soak(soakEvents);
    return [
      {
        figure: `ready after node starts, in ms (median of ${starts})`,
        ratio: ready,
        wanted: '<= 1500',
      },
      { figure: 'resident MB at rest', ratio: idleMb, wanted: '< 200' },
      {
        figure: `resident MB at most through ${soakEvents} events`,
        ratio: peakMb,
        wanted: '< 200',
      },
      {
        figure: 'last quarter of the memory curve against the second',
        ratio: growth,
        wanted: '<= 1.1',
      },
    ];
  },
};

/** Every start makes its own file, as the first start of a user does. */
async function readyMs(): Promise<number> {
  const times: number[] = [];
  for (let start = 0; start < starts; start += 1) {
    await withFolder(async (folder) => {
      const hub = await startHubChild(folder);
      times.push(hub.ready.readyMs);
      await hub.stop();
    });
  }
  return times.sort((a, b) => a - b)[starts >> 1] ?? Number.NaN;
}

async function soak(events: number): Promise<{ idleMb: number; peakMb: number; growth: number }> {
  return await withFolder(async (folder) => {
    const hub = await startHubChild(folder);
    const load = await startChild(new URL('../load/batch-load-process.ts', import.meta.url));
    const { port } = hub.ready;
    const idleMb = await residentMb(hub);
    const samples: number[] = [];
    const rounds = 40;
    for (let round = 0; round < rounds; round += 1) {
      await load.ask({
        port,
        events: events / rounds,
        batchEvents,
        concurrency: 2,
        seed: round + 1,
        ids: true,
      });
      samples.push(await residentMb(hub));
    }
    await Promise.all([load.stop(), hub.stop()]);
    return { idleMb, peakMb: Math.max(...samples), growth: quarterGrowth(samples) };
  });
}
