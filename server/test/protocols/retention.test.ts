import { newFile, newServers } from '../support/hub-places.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { protocolRetentionSuite } from './retention.suite.ts';

protocolRetentionSuite('on SQLite', newFile);

describeWithEngines('on servers', ['redis', 'mongo'], () => {
  protocolRetentionSuite('on Redis and MongoDB', newServers);
});
