import { describeWithEngines } from '../support/needed-program.ts';
import { kafkaEngines } from '../support/server-settings.ts';
import { startTestHub } from '../support/start-test-hub.ts';
import { protocolSuite } from './protocol.suite.ts';

describeWithEngines('on Kafka', ['kafka', 'mongo'], () => {
  protocolSuite('on Kafka and MongoDB', async () => startTestHub(await kafkaEngines()));
});
