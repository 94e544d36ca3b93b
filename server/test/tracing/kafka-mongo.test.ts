import { describeWithEngines } from '../support/needed-program.ts';
import { kafkaEngines } from '../support/server-settings.ts';
import { tracingSuite } from './tracing.suite.ts';

describeWithEngines('on Kafka', ['kafka', 'mongo'], () => {
  tracingSuite('on Kafka and MongoDB', {
    engines: kafkaEngines,
    system: 'kafka',
    isArchived: true,
    isKept: true,
  });
});
