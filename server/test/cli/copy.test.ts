import { newFile, newServers } from '../support/hub-places.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { copySuite } from './copy.suite.ts';

copySuite('SQLite to SQLite', newFile, newFile);

describeWithEngines('with Redis and MongoDB', ['redis', 'mongo'], () => {
  copySuite('SQLite to Redis and MongoDB', newFile, newServers);
  copySuite('Redis and MongoDB to SQLite', newServers, newFile);
});
