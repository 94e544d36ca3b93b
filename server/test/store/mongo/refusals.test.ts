import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storeAdapters } from '../../../src/store/index.ts';
import { openMongoStore } from '../../../src/store/mongo/mongo-store.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { type MongoServer, startMongoServer } from '../../support/engines/mongo-server.ts';
import { sharedMongo } from '../../support/engines/shared-engines.ts';
import { describeWithEngines, describeWithOwnEngines } from '../../support/needed-program.ts';
import { logEntries, withStore } from './mongo-stores.ts';

async function withDatabase<T>(url: string, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(url);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

const { open, examine, erase } = storeAdapters.mongodb;

describeWithEngines('a MongoDB database', ['mongo'], () => {
  it('with documents of somebody else is refused and left as it is', async () => {
    const url = await sharedMongo();
    await withDatabase(url, async (client) => {
      await client.db().collection('events').insertOne({ user_id: 'u1', amount: 1.5 });
      const refusal = { code: 'conflict', message: expect.stringContaining('import-prototype') };
      await expect(open(url, { exclusive: true })).rejects.toMatchObject(refusal);
      await expect(open(url, { exclusive: false })).rejects.toMatchObject(refusal);
      await expect(erase(url)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('events (1 documents)'),
      });
      expect(await examine(url)).toContainEqual(
        expect.objectContaining({ state: 'fail', name: 'database' }),
      );
      expect((await client.db().listCollections().toArray()).map(({ name }) => name)).toEqual([
        'events',
      ]);
    });
  });

  it('of a newer hub is refused', async () => {
    const url = await sharedMongo();
    await withStore(url, (store) => store.check());
    await withDatabase(url, (client) =>
      client
        .db()
        .collection('hub')
        .updateOne({ schema_version: { $exists: true } }, { $inc: { schema_version: 1 } }),
    );
    await expect(open(url, { exclusive: true })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('newer Event Hub'),
    });
  });

  it('of a hub before retention is brought up to date by one that serves, and has all it had', async () => {
    const url = await sharedMongo();
    const entries = logEntries(someEvents(5));
    await withStore(url, (store) => store.record('0', entries));
    await withDatabase(url, async (client) => {
      const database = client.db();
      for (const name of ['removed_events', 'frozen_minutes']) await database.dropCollection(name);
      const hub = database.collection<{ _id: string }>('hub');
      await hub.updateOne({ _id: 'mark' }, { $set: { schema_version: 1 } });
      await expect(open(url, { exclusive: false })).rejects.toMatchObject({ code: 'conflict' });
      await withStore(url, async (store) => {
        const cut = { receivedBefore: Number.MAX_SAFE_INTEGER };
        expect(await store.removeOldest('0', cut, 3)).toMatchObject({ events: 3 });
        expect(await store.record('0', logEntries([anEvent()], 6))).toMatchObject({ added: 1 });
      });
      expect(await hub.findOne({ _id: 'mark' })).toMatchObject({ schema_version: 2 });
      const names = (await database.listCollections().toArray()).map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['removed_events', 'frozen_minutes']));
    });
    expect(await examine(url)).toContainEqual({
      state: 'ok',
      name: 'database',
      detail: expect.stringContaining('version 2, 3 events (3 older ones were removed)'),
    });
    await withDatabase(url, async (client) => {
      await erase(url);
      expect(await client.db().listCollections().toArray()).toEqual([]);
    });
  });

  it('that is empty is made only by a hub that serves', async () => {
    const url = await sharedMongo();
    await expect(open(url, { exclusive: false })).rejects.toMatchObject({ code: 'not_found' });
    await expect(erase(url)).rejects.toMatchObject({ code: 'not_found' });
    expect(await examine(url)).toContainEqual({
      state: 'ok',
      name: 'database',
      detail: expect.stringContaining('is empty'),
    });
    await withStore(url, (store) => store.check());
    await withStore(url, (store) => store.check(), { exclusive: false });
  });

  it('is erased only while no hub runs on it, and nothing of others with it', async () => {
    const url = await sharedMongo();
    await withStore(url, async (store) => {
      await store.record('0', logEntries(someEvents(3)));
      await expect(erase(url)).rejects.toMatchObject({ code: 'conflict' });
      expect(await examine(url)).toContainEqual({
        state: 'ok',
        name: 'database',
        detail: expect.stringContaining('3 events, hubs on it: 1'),
      });
    });
    await withDatabase(url, async (client) => {
      await client.db().collection('mine').insertOne({ a: 1 });
      await erase(url);
      const left = await client.db().listCollections().toArray();
      expect(left.map(({ name }) => name)).toEqual(['mine']);
    });
  });

  it('emptied under a running hub stops it for good', async () => {
    const url = await sharedMongo();
    await withStore(url, async (store) => {
      await withDatabase(url, (client) => client.db().dropDatabase());
      const refusal = { code: 'conflict', message: expect.stringContaining('emptied or replaced') };
      const entries = logEntries([anEvent()]);
      await expect(store.record('0', entries)).rejects.toMatchObject(refusal);
      await expect(store.check()).rejects.toMatchObject(refusal);
      await expect(store.get('x')).rejects.toMatchObject(refusal);
    });
  });

  it('is opened by many at once', async () => {
    const url = await sharedMongo();
    const stores = await Promise.all(
      Array.from({ length: 5 }, () => openMongoStore(url, { exclusive: true })),
    );
    for (const store of stores) await store.check();
    await Promise.all(stores.map((store) => store.close()));
  });
});

describeWithOwnEngines('a MongoDB server', ['mongo'], () => {
  let alone: MongoServer;

  beforeAll(async () => {
    alone = await startMongoServer({ standalone: true, args: ['--auth'] });
  });

  afterAll(() => alone.remove());

  it('that refuses the user is refused, without saying the password', async () => {
    const url = `mongodb://hub:s3cret@127.0.0.1:${alone.port}/hub?directConnection=true`;
    const refused = open(url, { exclusive: true });
    await expect(refused).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('refuses the user'),
    });
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('s3cret') });
  });
});

describeWithOwnEngines('a MongoDB server without a replica set', ['mongo'], () => {
  let alone: MongoServer;

  beforeAll(async () => {
    alone = await startMongoServer({ standalone: true });
  });

  afterAll(() => alone.remove());

  it('is refused with the command that mends it', async () => {
    const url = alone.urlOf('hub');
    await expect(open(url, { exclusive: true })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/--replSet rs0.*rs\.initiate\(\)/),
    });
    expect(await examine(url)).toContainEqual({
      state: 'fail',
      name: 'store',
      detail: expect.stringContaining('rs.initiate()'),
    });
  });

  it('is refused by every call when it is seen only later', async () => {
    const url = alone.urlOf('later');
    await alone.stop();
    await withStore(url, async (store) => {
      await expect(store.check()).rejects.toMatchObject({ code: 'unavailable', retryAfterS: 2 });
      await alone.start();
      await expect
        .poll(() => store.check().catch((reason: { code: string }) => reason.code))
        .toBe('conflict');
      await expect(store.get('x')).rejects.toMatchObject({ code: 'conflict' });
    });
  });
});

describeWithOwnEngines('a replica set that was never initiated', ['mongo'], () => {
  let waiting: MongoServer;

  beforeAll(async () => {
    waiting = await startMongoServer({ standalone: true, args: ['--replSet', 'rs0'] });
  });

  afterAll(() => waiting.remove());

  it('is unavailable, with the command that mends it, until somebody does', async () => {
    await withStore(waiting.urlOf('hub'), async (store) => {
      await expect(store.check()).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('rs.initiate()'),
      });
      const members = [{ _id: 0, host: `127.0.0.1:${waiting.port}` }];
      await withDatabase(waiting.url, (client) =>
        client.db('admin').command({ replSetInitiate: { _id: 'rs0', members } }),
      );
      await expect
        .poll(() =>
          store.check().then(
            () => 'up',
            () => 'away',
          ),
        )
        .toBe('up');
      expect(await store.record('0', logEntries([anEvent()]))).toMatchObject({ added: 1 });
    });
  });
});

it.each([
  'mongodb://user:s3cret@',
  'mongodb://user:s3cret@host/%E0',
  'mongodb://user:s3cret@host:port/hub',
  'mongodb://user:s3cret@host/hub?w=never&unknown=1',
])('a URL that cannot be read is invalid, without its password: %s', async (url) => {
  const refused = open(url, { exclusive: true });
  await expect(refused).rejects.toMatchObject({ code: 'invalid' });
  await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('s3cret') });
});
