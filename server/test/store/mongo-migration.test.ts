import { MongoClient } from 'mongodb';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { UpgradeOptions } from '../../src/base/migration.ts';
import { migrateMongo, planMongoMigration } from '../../src/store/mongo/migrate-mongo.ts';
import { type MongoMigration, migrations } from '../../src/store/mongo/migrations.ts';
import { parseMongoUrl } from '../../src/store/mongo/mongo-address.ts';
import { MongoConnection } from '../../src/store/mongo/mongo-connection.ts';
import { unavailable } from '../../src/store/mongo/mongo-fault.ts';
import { prepareDatabase } from '../../src/store/mongo/prepare-database.ts';
import { someEvents } from '../support/build-event.ts';
import { sharedMongo } from '../support/engines/shared-engines.ts';
import { describeWithEngines } from '../support/needed-program.ts';
import { type LaterStep, type MigrationHarness, migrationSuite } from './migration.suite.ts';
import { logEntries, withStore } from './mongo/mongo-stores.ts';

interface MongoHarness extends MigrationHarness {
  openWith(list: readonly MongoMigration[], upgrade?: UpgradeOptions): Promise<void>;
}

async function mongoHarness(): Promise<MongoHarness> {
  const url = await sharedMongo();
  const client = new MongoClient(url);
  const openWith = async (list: readonly MongoMigration[], upgrade?: UpgradeOptions) => {
    const connection: MongoConnection = new MongoConnection(parseMongoUrl(url), {
      clock: systemClock,
      prepare: async () => {
        const wanted = { create: true, clock: systemClock, listedBy: 'position' } as const;
        await prepareDatabase(connection, { ...wanted, upgrade, migrations: list });
      },
    });
    try {
      await connection.settle(10_000);
      await connection.ready();
    } finally {
      await connection.close();
    }
  };
  return {
    place: `mongodb://${parseMongoUrl(url).place}`,
    make: (events) =>
      withStore(url, async (store) => {
        await store.record('0', logEntries(someEvents(events)));
      }),
    plan: (later) => planMongoMigration(url, { migrations: withLater(later) }),
    migrate: (later, onBegin = () => undefined) =>
      migrateMongo(url, { migrations: withLater(later), onBegin }),
    open: async (later, { allowed } = { allowed: true }) => {
      const said: string[] = [];
      const onDone: UpgradeOptions['onDone'] = ({ description }) => said.push(description);
      await openWith(withLater(later), { allowed, onDone });
      return said;
    },
    openWith,
    besideHub: (work) => withStore(url, async () => await work()),
    added: async () => {
      const found = await client
        .db()
        .listCollections({ name: /^later/ })
        .toArray();
      return found.map(({ name }) => name).sort();
    },
    destroy: async () => {
      await client.db().dropDatabase();
      await client.close();
    },
  };
}

function withLater(
  later: readonly LaterStep[],
  besideOlderHubs = false,
): readonly MongoMigration[] {
  const added = later.map(
    ({ name, cost, isBroken = false }): MongoMigration => ({
      description: `adds ${name}`,
      cost,
      besideOlderHubs,
      apply: async ({ database }) => {
        if (isBroken) throw unavailable('it breaks off here');
        await database.createCollection(name).catch((reason) => {
          if (reason.codeName !== 'NamespaceExists') throw reason;
        });
      },
    }),
  );
  return [...migrations, ...added];
}

const later = ['later_one', 'later_two', 'later_three'].map(
  (name): LaterStep => ({ name, cost: 'no events' }),
);

describeWithEngines('a MongoDB database of an older hub', ['mongo'], () => {
  migrationSuite('of a MongoDB database', mongoHarness);

  it('is brought up to date by several hubs at once, of which one says each step', async () => {
    const harness = await mongoHarness();
    await harness.make(1);
    const hubs = Array.from({ length: 5 }, () => harness.open(later));
    const said = (await Promise.all(hubs)).flat();
    expect(said.sort()).toEqual(later.map(({ name }) => `adds ${name}`).sort());
    expect(await harness.plan(later)).toMatchObject({ steps: [] });
    await harness.destroy();
  });

  it('goes on from the step that broke off, and not from the first', async () => {
    const harness = await mongoHarness();
    await harness.make(1);
    const broken = later.map((step, index) => ({ ...step, isBroken: index === 1 }));
    await expect(harness.migrate(broken)).rejects.toMatchObject({ code: 'unavailable' });
    const { steps } = await harness.plan(later);
    expect(steps.map(({ description }) => description)).toEqual([
      'adds later_two',
      'adds later_three',
    ]);
    expect(await harness.open(later)).toEqual(['adds later_two', 'adds later_three']);
    await harness.destroy();
  });

  it('is brought up to date beside a hub where that may go on', async () => {
    const harness = await mongoHarness();
    await harness.make(1);
    await harness.besideHub(() => harness.openWith(withLater(later, true)));
    expect(await harness.plan(later)).toMatchObject({ steps: [] });
    await harness.destroy();
  });

  it('is brought up to date by a hub that waits for the older one to stop', async () => {
    const harness = await mongoHarness();
    await harness.make(1);
    const refused = await harness.besideHub(() =>
      harness.open(later).catch(({ message }) => message),
    );
    expect(refused).toContain(
      `is brought to version ${migrations.length + 1} when they have stopped (it adds later_one)`,
    );
    expect(await harness.open(later)).toHaveLength(3);
    await harness.destroy();
  });

  it('that is emptied midway is not taken for one that is up to date', async () => {
    const harness = await mongoHarness();
    await harness.make(1);
    const emptied: MongoMigration = {
      description: 'loses all',
      cost: 'no events',
      besideOlderHubs: true,
      apply: async ({ database }) => void (await database.dropDatabase()),
    };
    const opened = harness.openWith([...migrations, emptied]);
    await expect(opened).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('emptied or replaced'),
    });
    expect(await harness.plan([])).toMatchObject({ version: undefined });
    await harness.destroy();
  });
});
