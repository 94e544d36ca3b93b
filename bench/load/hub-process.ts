import { startHub } from '../../server/src/main.ts';
import { testSettings } from '../../server/test/support/test-settings.ts';
import type { HubEngines } from './hub.ts';
import { processorMs } from './processor-time.ts';

/**
 * The whole hub in a process of its own; answers each message with its memory and
 * the processor time that it took so far.
 * Arguments: the data folder, and as JSON the engines and roles when they are
 * not the embedded ones.
 */
const [, , folder, engines = '{}'] = process.argv;
if (folder === undefined) throw new Error('name the data folder');
const { roles, ...urls } = JSON.parse(engines) as Partial<HubEngines>;
const hub = await startHub(
  testSettings(folder, {
    logLevel: 'warn',
    ...urls,
    ...(roles === undefined ? {} : { roles: new Set(roles) }),
  }),
);
process.send?.({
  port: Number(new URL(hub.url).port),
  grpc: hub.grpcAddress,
  readyMs: performance.now(),
});
process.on('message', () => {
  process.send?.({ rssBytes: process.memoryUsage.rss(), cpuMs: processorMs() });
});
process.on('SIGTERM', () => {
  void hub.stop().then(() => process.exit(0));
});
