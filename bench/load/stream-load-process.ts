import { Agent, get } from 'node:http';
import { createInterface } from 'node:readline';
import { percentile } from './http-load.ts';
import { post } from './post.ts';
import { createTraffic } from './traffic.ts';

/**
 * Sends at a steady rate and follows the stream in the same process, so that
 * both times come from one clock: `{ port, eventsPerSecond, seconds }` in,
 * `{ p99Ms, seen, sent }` out.
 */
process.on('message', async (message) => {
  const { port, eventsPerSecond, seconds } = message as Readonly<
    Record<'port' | 'eventsPerSecond' | 'seconds', number>
  >;
  const answeredMs = new Map<string, number>();
  const seenMs = new Map<string, number>();
  const stopFollowing = await follow(port, (id) => seenMs.set(id, performance.now()));
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const traffic = createTraffic(7, Date.now());
  const startedMs = performance.now();
  const sends: Promise<void>[] = [];
  const total = eventsPerSecond * seconds;
  while (sends.length < total) {
    const due = Math.min(total, ((performance.now() - startedMs) / 1_000) * eventsPerSecond);
    while (sends.length < due) {
      const event = traffic.next();
      sends.push(
        post(agent, port, 'application/json', JSON.stringify(event)).then(() => {
          answeredMs.set(event.id, performance.now());
        }),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(sends);
  const deadlineMs = performance.now() + 10_000;
  while (seenMs.size < total && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  stopFollowing();
  agent.destroy();
  const delays = [...answeredMs].map(
    ([id, ms]) => (seenMs.get(id) ?? Number.POSITIVE_INFINITY) - ms,
  );
  delays.sort((a, b) => a - b);
  process.send?.({ p99Ms: percentile(delays, 0.99), seen: seenMs.size, sent: total });
});
process.send?.({});

function follow(port: number, seen: (id: string) => void): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const following = get({ host: '127.0.0.1', port, path: '/events/stream' }, (response) => {
      createInterface({ input: response }).on('line', (line) => {
        if (line === 'event: caught-up') resolve(() => following.destroy());
        const id = /^data: \{"id":"([^"]+)"/.exec(line)?.[1];
        if (id !== undefined) seen(id);
      });
    });
    following.on('error', (error) => reject(error));
  });
}
