import { postRequest, runHttpLoad } from './http-load.ts';
import { createTraffic } from './traffic.ts';

/** Runs single-event loads in a process of its own: `{ port, connections, durationMs, seed }` in, LoadResult out. */
process.on('message', async (message) => {
  const { port, connections, durationMs, seed } = message as Readonly<
    Record<'port' | 'connections' | 'durationMs' | 'seed', number>
  >;
  const traffic = createTraffic(seed, Date.now());
  const result = await runHttpLoad({
    host: '127.0.0.1',
    port,
    connections,
    durationMs,
    nextRequest: () => postRequest('/events', 'application/json', JSON.stringify(traffic.next())),
  });
  process.send?.(result);
});
process.send?.({});
