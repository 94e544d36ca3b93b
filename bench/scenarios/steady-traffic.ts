import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startHubChild } from '../load/hub.ts';
import { quarterGrowth, residentMb } from '../load/memory.ts';
import { withStandardEngines } from '../load/standard-engines.ts';
import { type Scenario, withFolder } from '../scenario.ts';

const eventsPerSecond = 3_000;
const sampleMs = 2_000;
const roles = ['http', 'readers'] as const;

interface Summary {
  readonly stored: number;
  readonly events_per_s: number;
  readonly p99_ms: number;
}

/**
 * (j) `event-hub generate --protocol batch` at a steady rate onto the roles http
 * and readers, a process each: whether the archive keeps up, whether everything
 * is counted, and whether memory stays flat.
 */
export const steadyTraffic: Scenario = {
  name: `j: generate at ${eventsPerSecond} events/s onto Redis and MongoDB`,
  run: async ({ steadySeconds }) =>
    await withStandardEngines(({ redis, mongo }) =>
      withFolder(async (folder) => {
        const engines = { log: redis.url, store: mongo.urlOf('event_hub') };
        const [http, readers] = [
          await startHubChild(folder, { ...engines, roles: ['http'] }),
          await startHubChild(folder, { ...engines, roles: ['readers'] }),
        ];
        const url = `http://127.0.0.1:${http.ready.port}`;
        const memory: (readonly number[])[] = [];
        const generating = generate(url, steadySeconds);
        const over = generating.then(() => true);
        while (!(await Promise.race([over, sleep(sampleMs, false)]))) {
          memory.push(await Promise.all([http, readers].map(residentMb)));
        }
        const { stored, events_per_s, p99_ms } = await generating;
        const lagSeconds = await secondsBehind(url, stored);
        await Promise.all([http.stop(), readers.stop()]);
        return [
          { figure: 'of the rate', ratio: events_per_s / eventsPerSecond, wanted: '>= 0.99' },
          { figure: 'p99 of the answers in ms', ratio: p99_ms, wanted: '< 1000' },
          { figure: 'seconds by which the counts are behind', ratio: lagSeconds, wanted: '< 1' },
          ...roles.map((role, at) => ({
            figure: `last quarter of the memory curve against the second, ${role}`,
            ratio: quarterGrowth(memory.map((megabytes) => megabytes[at] ?? Number.NaN)),
            wanted: '<= 1.1',
          })),
        ];
      }),
    ),
};

/** The command as a user runs it, ids of its own included. */
async function generate(url: string, seconds: number): Promise<Summary> {
  const entry = fileURLToPath(new URL('../../server/src/cli/event-hub.ts', import.meta.url));
  const pace = [`--rate=${eventsPerSecond}`, `--duration=${seconds}s`, '--protocol=batch'];
  const args = [`--url=${url}`, ...pace];
  const child = spawn(process.execPath, [entry, 'generate', ...args, '--output=json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`generate ended with ${code}`);
  return JSON.parse(said) as Summary;
}

/** How long one more event takes to be counted, when all before it must be. */
async function secondsBehind(url: string, stored: number): Promise<number> {
  const startedMs = performance.now();
  const body = JSON.stringify({ user_id: 'bench', event_type: 'purchase', amount: 1 });
  const headers = { 'content-type': 'application/json' };
  const sent = await fetch(`${url}/events`, { method: 'POST', headers, body });
  const { position } = (await sent.json()) as { position: string };
  const window = 'from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00Z';
  const counted = await fetch(`${url}/aggregates?${window}&at_least=${position}`);
  const { event_count } = (await counted.json()) as { event_count: number };
  if (event_count !== stored + 1) throw new Error(`${event_count} of ${stored + 1} were counted`);
  return (performance.now() - startedMs) / 1_000;
}
