import { describeWithEngines } from '../support/needed-program.ts';
import { serverEngines } from '../support/server-settings.ts';
import { startTestHub } from '../support/start-test-hub.ts';
import { protocolSuite } from './protocol.suite.ts';

describeWithEngines('on servers', ['redis', 'mongo'], () => {
  protocolSuite('on Redis and MongoDB', async () => startTestHub(await serverEngines()));
});
