import { type LoadResult, postRequest, runHttpLoad } from './http-load.ts';
import { processorMs } from './processor-time.ts';
import { createTraffic, eventText } from './traffic.ts';

/** More than any server here takes in a second. */
const perSecondMax = 120_000;

/**
 * Runs single-event loads in a process of its own: `{ port, connections,
 * durationMs, seed, ids }` in, HttpLoadResult out. What it sends is made beforehand;
 * without `ids` the hub makes them.
 */
export interface HttpLoadRequest {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  readonly seed: number;
  readonly ids: boolean;
}

export interface HttpLoadResult extends LoadResult {
  /** Processor time of the load itself, without what was made beforehand. */
  readonly cpuMs: number;
}

process.on('message', async (message) => {
  const { port, connections, durationMs, seed, ids } = message as HttpLoadRequest;
  const traffic = createTraffic(seed, Date.now());
  const requests = Array.from({ length: (perSecondMax * durationMs) / 1_000 }, () =>
    postRequest('/events', 'application/json', eventText(traffic.next(), ids)),
  );
  let sent = 0;
  const startedMs = processorMs();
  const result = await runHttpLoad({
    host: '127.0.0.1',
    port,
    connections,
    durationMs,
    nextRequest: () => {
      const request = requests[sent];
      if (request === undefined) throw new Error('the server takes more than was made beforehand');
      sent += 1;
      return request;
    },
  });
  process.send?.({ ...result, cpuMs: processorMs() - startedMs });
});
process.send?.({});
