import { startHub } from '../../server/src/main.ts';
import { testSettings } from '../../server/test/support/test-settings.ts';

/** The whole hub in a process of its own; answers each message with its memory. */
const folder = process.argv[2];
if (folder === undefined) throw new Error('name the data folder');
const hub = await startHub(testSettings(folder, { logLevel: 'warn' }));
process.send?.({
  port: Number(new URL(hub.url).port),
  grpc: hub.grpcAddress,
  readyMs: performance.now(),
});
process.on('message', () => process.send?.({ rssBytes: process.memoryUsage.rss() }));
process.on('SIGTERM', () => {
  void hub.stop().then(() => process.exit(0));
});
