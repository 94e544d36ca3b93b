import { describeWithEngines } from '../support/needed-program.ts';
import { eventStoreSuite } from './event-store.suite.ts';
import { keepAsideSuite } from './keep-aside.suite.ts';
import { keyStoreSuite } from './key-store.suite.ts';
import { mongoStoreHarness } from './mongo-store-harness.ts';

describeWithEngines('MongoDB', ['mongo'], () => {
  eventStoreSuite('on MongoDB', mongoStoreHarness);
  keepAsideSuite('MongoDB', mongoStoreHarness);
  keyStoreSuite('on MongoDB', mongoStoreHarness);
});
