import { Agent } from 'node:http';
import { post } from './post.ts';
import { createTraffic, eventText } from './traffic.ts';

/**
 * Sends NDJSON batches that were made beforehand: `{ port, events, batchEvents,
 * concurrency, seed, ids }` in, `{ perSecond }` out; without `ids` the hub makes
 * them.
 */
process.on('message', async (message) => {
  const { port, events, batchEvents, concurrency, seed, ids } = message as Readonly<
    Record<'port' | 'events' | 'batchEvents' | 'concurrency' | 'seed', number>
  > & { readonly ids: boolean };
  const traffic = createTraffic(seed, Date.now() - events);
  const bodies = Array.from({ length: Math.ceil(events / batchEvents) }, () =>
    Buffer.from(
      Array.from({ length: batchEvents }, () => eventText(traffic.next(), ids)).join('\n'),
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
