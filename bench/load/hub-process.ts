import { parseEventTypes } from '../../server/src/event/event-rules.ts';
import { startHub } from '../../server/src/main.ts';

/** The hub as `event-hub serve` runs it, in a process of its own; answers each message with its memory. */
const folder = process.argv[2];
if (folder === undefined) throw new Error('name the data folder');
const url = `sqlite:${folder}/event-hub.db`;
const hub = await startHub({
  http: { host: '127.0.0.1', port: 0 },
  grpc: { host: '127.0.0.1', port: 0 },
  log: url,
  store: url,
  roles: new Set(['http', 'grpc', 'readers']),
  eventTypes: parseEventTypes('purchase:+,return:-,refund:-'),
  defaultCurrency: 'XXX',
  maxFutureMs: 24 * 60 * 60 * 1_000,
  logLevel: 'warn',
  allowWeakDurability: false,
});
process.send?.({
  port: Number(new URL(hub.url).port),
  grpc: hub.grpcAddress,
  readyMs: performance.now(),
});
process.on('message', () => process.send?.({ rssBytes: process.memoryUsage.rss() }));
process.on('SIGTERM', () => {
  void hub.stop().then(() => process.exit(0));
});
