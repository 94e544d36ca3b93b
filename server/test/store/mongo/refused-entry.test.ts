import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { limits } from '../../../src/base/limits.ts';
import { parseMongoUrl } from '../../../src/store/mongo/mongo-address.ts';
import { MongoConnection } from '../../../src/store/mongo/mongo-connection.ts';
import { openMongoStore } from '../../../src/store/mongo/mongo-store.ts';
import { type MongoServer, startMongoServer } from '../../support/engines/mongo-server.ts';
import { sharedMongo } from '../../support/engines/shared-engines.ts';
import { describeWithEngines, describeWithOwnEngines } from '../../support/needed-program.ts';

const patience = { timeout: 20_000 };

describeWithOwnEngines('a password of MongoDB', ['mongo'], () => {
  let server: MongoServer;
  beforeAll(async () => {
    server = await startMongoServer({ standalone: true, args: ['--auth'] });
    await command({ createUser: 'root', pwd: 'r00t', roles: ['root'] }, '');
    await command({ createUser: 'hub', pwd: 's3cret', roles: ['readWriteAnyDatabase'] });
  });
  afterAll(() => server.remove());

  const urlAs = (user: string) => server.urlOf('hub').replace('://', `://${user}`);
  const command = async (text: object, user = 'root:r00t@') => {
    const client = new MongoClient(`${urlAs(user)}&authSource=admin`);
    try {
      await client.db('admin').command(text);
    } finally {
      await client.close();
    }
  };
  /** Looks at nothing before its use, so that a server alone will do. */
  const open = () =>
    new MongoConnection(parseMongoUrl(`${urlAs('hub:s3cret@')}&authSource=admin`), {
      clock: systemClock,
      prepare: async () => undefined,
    });

  it('that is changed under a running hub is named as such until it is given back', async () => {
    const connection = open();
    onTestFinished(() => connection.close());
    const look = () => connection.use(({ hub }) => hub.findOne({}));
    const said = () =>
      look().then(
        () => 'it answers',
        ({ code, message }) => `${code}: ${message}`,
      );
    await connection.settle(limits.mongoOpenMs);
    await look();
    await command({ updateUser: 'hub', pwd: 'another' });
    await server.stop();
    await server.start();
    const refused = /^unavailable: .*refuses the user or the password/;
    await expect.poll(said, patience).toMatch(refused);
    // Also while the driver takes the server for one that is away.
    for (let time = 0; time < 20; time += 1) expect(await said()).toMatch(refused);
    expect(await said()).not.toContain('s3cret');
    await command({ updateUser: 'hub', pwd: 's3cret' });
    await expect.poll(said, patience).toBe('it answers');
  });
});

describeWithEngines('a replica set of MongoDB', ['mongo'], () => {
  it('that has another name than the URL says is named', async () => {
    const url = new URL(await sharedMongo());
    url.search = '?replicaSet=nowhere';
    const store = await openMongoStore(url.href, { exclusive: true });
    onTestFinished(() => store.close());
    await expect
      .poll(() => store.check().catch(({ message }: Error) => message), patience)
      .toContain('no member of the replica set "nowhere": correct ?replicaSet=');
  });
});

it.each(['mongodb://127.0.0.1/a.b', 'mongodb://u:secret%@127.0.0.1/a', 'mongodb://127.0.0.1/%'])(
  'the URL %s is refused before anything is asked',
  async (url) => {
    const refused = openMongoStore(url, { exclusive: true });
    await expect(refused).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^the URL of the MongoDB store cannot be used(?!.*secret)/),
    });
  },
);
