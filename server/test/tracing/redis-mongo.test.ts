import { describeWithEngines } from '../support/needed-program.ts';
import { serverEngines } from '../support/server-settings.ts';
import { tracingSuite } from './tracing.suite.ts';

describeWithEngines('on servers', ['redis', 'mongo'], () => {
  tracingSuite('on Redis and MongoDB', {
    engines: serverEngines,
    system: 'redis',
    isArchived: true,
    isKept: true,
  });
});
