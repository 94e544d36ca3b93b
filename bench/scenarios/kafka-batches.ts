import type { EventLog } from '../../server/src/log/event-log.ts';
import { openKafkaLog } from '../../server/src/log/kafka/kafka-log.ts';
import { startChild } from '../load/child.ts';
import { startHubChild } from '../load/hub.ts';
import { type ScaleEngines, withScaleEngines } from '../load/standard-engines.ts';
import { type Scenario, withFolder } from '../scenario.ts';

const load = { batchEvents: 5_000, events: 200_000, concurrency: 3 };
const rounds = 3;

interface Speed {
  readonly perSecond: number;
}

/** What hubs that work at the same time did together. */
interface HubSpeed extends Speed {
  /** Processor time of the hubs' own. */
  readonly cpuUsPerEvent: number;
}

/** (k) NDJSON batches onto Kafka against the same client sending the same bytes bare; one hub against two. */
export const kafkaBatches: Scenario = {
  name: `k: NDJSON batches of ${load.batchEvents} onto Kafka`,
  run: async () =>
    await withScaleEngines(async (engines) => {
      const bare: number[] = [];
      const one: HubSpeed[] = [];
      const two: HubSpeed[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        bare.push(await bareSpeed(engines, round));
        one.push(await hubsSpeed(engines, `one-${round}`, 1));
        two.push(await hubsSpeed(engines, `two-${round}`, 2));
      }
      const ofBare = median(one.map(({ perSecond }, at) => perSecond / (bare[at] ?? 1)));
      const rate = median(two.map(({ perSecond }, at) => perSecond / (one[at]?.perSecond ?? 1)));
      const cpu = median(
        two.map(({ cpuUsPerEvent }, at) => cpuUsPerEvent / (one[at]?.cpuUsPerEvent ?? 1)),
      );
      return [
        { figure: 'of the bare client (median of three rounds)', ratio: ofBare, wanted: '>= 0.6' },
        { figure: 'two hubs against one, by events/s', ratio: rate, wanted: '>= 1.6' },
        { figure: 'two hubs against one, by CPU per event', ratio: cpu, wanted: '<= 1.3' },
      ];
    }),
};

async function bareSpeed({ kafka }: ScaleEngines, seed: number): Promise<number> {
  const topic = `bare-${seed}`;
  // With the very settings of a hub's topic.
  await (await makeTopic(kafka.url, topic)).close();
  const bare = await startChild(new URL('../bare/kafka-send.ts', import.meta.url));
  const brokers = new URL(kafka.url).host;
  const { perSecond } = await bare.ask<Speed>({ ...load, brokers, topic, seed });
  await bare.stop();
  return perSecond;
}

async function makeTopic(url: string, topic: string): Promise<EventLog> {
  return await openKafkaLog(`${url}/${topic}`, { exclusive: true });
}

/** Each round on a topic of its own, and without ids of clients' own a look into MongoDB is spared. */
async function hubsSpeed(
  { kafka, mongo }: ScaleEngines,
  name: string,
  count: number,
): Promise<HubSpeed> {
  return await withFolder(async (folder) => {
    const engines = {
      log: `${kafka.url}/${name}`,
      store: mongo.urlOf(name),
      roles: ['http'] as const,
    };
    const hubs: Awaited<ReturnType<typeof startHubChild>>[] = [];
    for (let index = 0; index < count; index += 1) hubs.push(await startHubChild(folder, engines));
    const senders = await Promise.all(
      hubs.map(() => startChild(new URL('../load/batch-load-process.ts', import.meta.url))),
    );
    const before = await Promise.all(hubs.map((hub) => hub.ask<{ cpuMs: number }>('cpu')));
    const speeds = await Promise.all(
      senders.map((sender, index) => {
        const port = hubs[index]?.ready.port;
        return sender.ask<Speed>({ ...load, port, seed: index + 1, ids: false });
      }),
    );
    const after = await Promise.all(hubs.map((hub) => hub.ask<{ cpuMs: number }>('cpu')));
    await Promise.all([...senders, ...hubs].map((child) => child.stop()));
    const cpuMs = after.reduce((sum, { cpuMs }, at) => sum + cpuMs - (before[at]?.cpuMs ?? 0), 0);
    return {
      perSecond: speeds.reduce((sum, { perSecond }) => sum + perSecond, 0),
      cpuUsPerEvent: (cpuMs * 1_000) / (load.events * count),
    };
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
