import { Agent, request } from 'node:http';
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
        await post(agent, port, body);
      }
    }),
  );
  const perSecond = events / ((performance.now() - startedMs) / 1_000);
  agent.destroy();
  process.send?.({ perSecond });
});
process.send?.({});

function post(agent: Agent, port: number, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': body.length };
    const options = { host: '127.0.0.1', port, path: '/events', method: 'POST', agent, headers };
    const sent = request(options, (response) => {
      if (response.statusCode !== 201) reject(new Error(`answered ${response.statusCode}`));
      response.resume();
      response.on('end', resolve);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
