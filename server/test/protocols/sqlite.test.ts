import { startTestHub } from '../support/start-test-hub.ts';
import { protocolSuite } from './protocol.suite.ts';

protocolSuite('on SQLite', () => startTestHub());
