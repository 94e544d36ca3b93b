import { describeWithEngines } from '../support/needed-program.ts';
import { redisLogHarness } from '../support/redis-harness.ts';
import { eventLogSuite } from './event-log.suite.ts';

describeWithEngines('with Redis', ['redis'], () => {
  eventLogSuite('on Redis', () => redisLogHarness());
});
