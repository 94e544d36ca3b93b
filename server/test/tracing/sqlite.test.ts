import { tracingSuite } from './tracing.suite.ts';

tracingSuite('on SQLite', {
  engines: async () => ({}),
  system: 'event_hub',
  isArchived: false,
  isKept: false,
});
