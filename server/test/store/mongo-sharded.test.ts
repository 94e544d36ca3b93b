import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { anEvent } from '../support/build-event.ts';
import { type MongoCluster, openMongoCluster } from '../support/engines/mongo-cluster.ts';
import { freshName } from '../support/engines/shared-engines.ts';
import { describeWithCluster } from '../support/needed-program.ts';
import { eventStoreSuite } from './event-store.suite.ts';
import { keepAsideSuite } from './keep-aside.suite.ts';
import { keyStoreSuite } from './key-store.suite.ts';
import { mongoStoreHarness } from './mongo-store-harness.ts';

/** The layout of docs/operate.md: events and what stays of removed ones by their hashed ids, all else on the database's own shard. */
describeWithCluster('MongoDB as a sharded cluster', () => {
  let cluster: MongoCluster;
  beforeAll(async () => {
    cluster = await openMongoCluster();
  });
  afterAll(() => cluster.remove());

  const newUrl = () => {
    const url = new URL(cluster.url);
    url.pathname = `/${freshName('test')}`;
    return url.href;
  };
  const shardEvents = async (client: MongoClient) => {
    const { databaseName } = client.db();
    const admin = client.db('admin');
    await admin.command({ enableSharding: databaseName });
    for (const collection of ['events', 'removed_events']) {
      await admin.command({
        shardCollection: `${databaseName}.${collection}`,
        key: { _id: 'hashed' },
      });
    }
  };
  const harness = () => mongoStoreHarness({ url: newUrl(), prepare: shardEvents });
  const harnessByReceipt = () =>
    mongoStoreHarness({ url: newUrl(), prepare: shardEvents, isLogSharded: true });

  eventStoreSuite('on a sharded cluster', harness);
  eventStoreSuite('on a sharded cluster beside a sharded log', harnessByReceipt);
  keepAsideSuite('a sharded cluster', harness);
  keyStoreSuite('on a sharded cluster', harness);

  it('has the events of one transaction on several shards, each once', async () => {
    const url = newUrl();
    const own = await mongoStoreHarness({ url, prepare: shardEvents });
    const store = await own.open();
    const client = new MongoClient(url);
    try {
      const events = Array.from({ length: 400 }, () => anEvent());
      const entries = await own.entries(events, 1);
      expect(await store.record('0', entries)).toMatchObject({ added: 400 });
      const parts = await client
        .db()
        .collection('events')
        .aggregate<{ shard: string; count: number }>([{ $collStats: { count: {} } }])
        .toArray();
      const filled = parts.filter(({ count }) => count > 0);
      expect(new Set(filled.map(({ shard }) => shard)).size).toBeGreaterThan(1);
      expect(filled.reduce((sum, { count }) => sum + count, 0)).toBe(400);
      expect(await store.verify()).toEqual([]);
    } finally {
      await client.close();
      await store.close();
      await own.destroy();
    }
  });
});
