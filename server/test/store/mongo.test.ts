import { MongoClient } from 'mongodb';
import type { Event } from '../../src/event/event.ts';
import type { Position } from '../../src/log/event-log.ts';
import { toDecimal128 } from '../../src/store/mongo/decimal128.ts';
import { openMongoStore } from '../../src/store/mongo/mongo-store.ts';
import { sharedMongo } from '../support/engines/shared-engines.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { eventStoreSuite, type StoreHarness } from './event-store.suite.ts';
import { keepAsideSuite } from './keep-aside.suite.ts';
import { keyStoreSuite } from './key-store.suite.ts';

async function mongoStoreHarness(): Promise<StoreHarness> {
  const url = await sharedMongo();
  const client = new MongoClient(url);
  return {
    open: () => openMongoStore(url, { exclusive: true }),
    entries: async (events: readonly Event[], first: number) =>
      events.map((event, index) => ({
        shard: '0',
        position: String(first + index).padStart(16, '0') as Position,
        event,
      })),
    damageCounts: async () => {
      await client
        .db()
        .collection('minute_metrics')
        .updateOne({}, { $inc: { total: toDecimal128(1n) } });
    },
    destroy: async () => {
      await client.db().dropDatabase();
      await client.close();
    },
  };
}

describeWithEngines('MongoDB', ['mongo'], () => {
  eventStoreSuite('on MongoDB', mongoStoreHarness);
  keepAsideSuite('MongoDB', mongoStoreHarness);
  keyStoreSuite('on MongoDB', mongoStoreHarness);
});
