import { createClient } from '@redis/client';
import { createTraffic } from '../load/traffic.ts';

/**
 * The bare limit of a batch on Redis: the same client pipelining one XADD per
 * event with the fields of the hub's entries. `{ url, events, batchEvents,
 * concurrency, seed }` in, `{ perSecond }` out.
 */
process.on('message', async (message) => {
  const { url, events, batchEvents, concurrency, seed } = message as {
    readonly url: string;
    readonly events: number;
    readonly batchEvents: number;
    readonly concurrency: number;
    readonly seed: number;
  };
  const traffic = createTraffic(seed, Date.now() - events);
  const entries = Array.from({ length: events }, () => {
    const { id, amount, ...rest } = traffic.next();
    const received_at = rest.timestamp;
    return { event_id: id, ...rest, amount: String(amount), received_at, metadata: '' };
  });
  const client = await createClient({ url }).connect();
  const startedMs = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < entries.length) {
        const batch = entries.slice(next, next + batchEvents);
        next += batchEvents;
        await Promise.all(batch.map((entry) => client.xAdd('bare', '*', entry)));
      }
    }),
  );
  const perSecond = events / ((performance.now() - startedMs) / 1_000);
  await client.del('bare');
  client.destroy();
  process.send?.({ perSecond });
});
process.send?.({});
process.on('SIGTERM', () => process.exit(0));
