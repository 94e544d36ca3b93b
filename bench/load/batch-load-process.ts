import { Agent } from 'node:http';
import { post } from './post.ts';
import { createTraffic } from './traffic.ts';

/**
 * Sends NDJSON batches that were made beforehand: `{ port, events, batchEvents,
 * concurrency, seed }` in, `{ perSecond }` out.
 */
process.on('message', async (message) => {
  const { port, events, batchEvents, concurrency, seed } = message as Readonly<
    Record<'port' | 'events' | 'batchEvents' | 'concurrency' | 'seed', number>
  >;
  const traffic = createTraffic(seed, Date.now() - events);
  const bodies = Array.from({ length: Math.ceil(events / batchEvents) }, () =>
    Buffer.from(
      Array.from({ length: batchEvents }, () => JSON.stringify(traffic.next())).join('\n'),
    ),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let body = bodies.shift(); body !== undefined; body = bodies.shift()) {
        await post(agent, port, 'application/x-ndjson', body);
      }
    }),
  );
  const perSecond = events / ((performance.now() - startedMs) / 1_000);
  agent.destroy();
  process.send?.({ perSecond });
});
process.send?.({});
