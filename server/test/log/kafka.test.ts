import { kafkaLogHarness } from '../support/kafka-harness.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { eventLogSuite } from './event-log.suite.ts';

describeWithEngines('with Kafka', ['kafka', 'mongo'], () => {
  eventLogSuite('on Kafka', () => kafkaLogHarness());
});
