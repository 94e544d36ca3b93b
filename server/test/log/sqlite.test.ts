import { sqliteLogHarness } from '../support/sqlite-harness.ts';
import { eventLogSuite } from './event-log.suite.ts';

eventLogSuite('on SQLite', () => sqliteLogHarness());
