import { newServers } from '../support/hub-places.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { cliSuite } from './cli.suite.ts';

describeWithEngines('on servers', ['redis', 'mongo'], () => {
  cliSuite('on Redis and MongoDB', newServers);
});
