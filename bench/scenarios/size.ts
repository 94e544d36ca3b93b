import { openAsHub } from '../load/fill.ts';
import { type Scenario, withFolder } from '../scenario.ts';

const fewEvents = 50_000;
const queries = 300;

/** (e) Queries with many events stored against the same with few. */
export const size: Scenario = {
  name: 'e: queries as the store grows',
  run: async ({ manyEvents }) => {
    const few = await measure(fewEvents);
    const many = await measure(manyEvents);
    const label = `${manyEvents} events stored against ${fewEvents}`;
    return [
      {
        figure: `aggregatedMetrics, ${label}`,
        ratio: many.aggregate / few.aggregate,
        wanted: '<= 1.5',
      },
      { figure: `lastEvents, ${label}`, ratio: many.latest / few.latest, wanted: '<= 1.5' },
    ];
  },
};

/** Median times of the two queries, on the last five minutes of a store with so many events. */
async function measure(events: number): Promise<{ aggregate: number; latest: number }> {
  return await withFolder(async (folder) => {
    const hub = await openAsHub(folder);
    const newestMs = await hub.fill(events);
    const from = newestMs - 5 * 60_000 + 123;
    const aggregate = await median(() =>
      hub.store.aggregate({ from, to: newestMs + 1, filter: {} }),
    );
    const latest = await median(() => hub.store.find({ filter: {}, order: 'desc', limit: 10 }));
    await hub.close();
    return { aggregate, latest };
  });
}

async function median(query: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < queries; index += 1) {
    const startedMs = performance.now();
    await query();
    times.push(performance.now() - startedMs);
  }
  return times.sort((a, b) => a - b)[queries >> 1] ?? Number.NaN;
}
