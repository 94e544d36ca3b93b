import { newServers } from '../support/hub-places.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { removalKillsSuite } from './removal-kills.suite.ts';

describeWithEngines('on servers', ['redis', 'mongo'], () => {
  removalKillsSuite('in MongoDB behind Redis', newServers);
});
