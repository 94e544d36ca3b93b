import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { createClient } from '@redis/client';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type MongoServer, startMongoServer } from './support/engines/mongo-server.ts';
import {
  durableRedisSettings,
  type RedisServer,
  startRedisServer,
} from './support/engines/redis-server.ts';
import { freshName, sharedMongo, sharedRedis } from './support/engines/shared-engines.ts';
import {
  describeWith,
  describeWithEngines,
  describeWithOwnEngines,
} from './support/needed-program.ts';

describeWithOwnEngines('a Redis of our own', ['redis'], () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer({ settings: { 'maxmemory-policy': 'allkeys-lru' } });
  });
  afterAll(() => server.remove());

  it('has the durable settings, and those that were asked for', async () => {
    expect(await configured()).toEqual({
      ...durableRedisSettings,
      'maxmemory-policy': 'allkeys-lru',
    });
  });

  it('is killed, and comes back on its port with its data', async () => {
    await withRedis(server.url, (client) => client.xAdd('stream', '*', { id: 'e-1' }));
    await server.kill();
    expect(server.isRunning).toBe(false);
    await expect(withRedis(server.url, (client) => client.ping())).rejects.toThrow('ECONNREFUSED');
    await server.start();
    const entries = await withRedis(server.url, (client) => client.xRange('stream', '-', '+'));
    expect(entries?.map(({ message }) => message)).toEqual([{ id: 'e-1' }]);
  });

  it('answers nothing while it is frozen', async () => {
    await withRedis(server.url, async (client) => {
      server.pause();
      // The kernel still takes connections for it.
      const socket = connect(server.port, '127.0.0.1');
      await once(socket, 'connect');
      const order: string[] = [];
      const answer = client.ping().then(() => order.push('answer'));
      await once(socket.end(), 'finish');
      order.push('resumed');
      server.resume();
      await answer;
      expect(order).toEqual(['resumed', 'answer']);
    });
  });

  async function configured(): Promise<Record<string, string>> {
    return await withRedis(server.url, (client) =>
      client.configGet(Object.keys(durableRedisSettings)),
    );
  }
});

describeWithOwnEngines('a MongoDB of our own', ['mongo'], () => {
  let server: MongoServer;

  beforeAll(async () => {
    server = await startMongoServer();
  });
  afterAll(() => server.remove());

  it('is killed, and comes back on its port as a primary with its data', async () => {
    await withMongo(server.url, async (client) => {
      await client.db('test').collection('events').insertOne({ id: 'e-1' });
    });
    await server.kill();
    expect(server.isRunning).toBe(false);
    await server.start();
    await withMongo(server.url, async (client) => {
      const found = await client.db('test').collection('events').find({}).toArray();
      expect(found).toMatchObject([{ id: 'e-1' }]);
      await client.withSession((session) =>
        session.withTransaction(async () => {
          await client.db('test').collection('events').insertOne({ id: 'e-2' }, { session });
        }),
      );
    });
  });

  it('is stopped without a wait for its clients, and starts again', async () => {
    await withMongo(server.url, async (client) => {
      await client.db('test').command({ ping: 1 });
      await server.restart();
      expect(await client.db('test').collection('events').countDocuments()).toBe(2);
    });
  });
});

describeWithOwnEngines('a MongoDB without a replica set', ['mongo'], () => {
  it('has no set name', async () => {
    const server = await startMongoServer({ standalone: true });
    try {
      await withMongo(server.url, async (client) => {
        expect(await client.db('admin').command({ hello: 1 })).not.toHaveProperty('setName');
      });
    } finally {
      await server.remove();
    }
  });
});

describeWithEngines('the engines that all tests share', ['redis', 'mongo'], () => {
  it('are the same for whoever asks, a Redis with a name for each', async () => {
    const url = await sharedRedis();
    expect(await sharedRedis()).toBe(url);
    const stream = freshName('events');
    await withRedis(url, (client) => client.xAdd(stream, '*', { id: 'e-1' }));
    expect(await withRedis(url, (client) => client.del(stream))).toBe(1);
  });

  it('are a MongoDB with transactions and a database for each', async () => {
    const url = await sharedMongo();
    expect(new URL(await sharedMongo()).host).toBe(new URL(url).host);
    await withMongo(url, async (client) => {
      const events = client.db().collection('events');
      await client.withSession((session) =>
        session.withTransaction(() => events.insertOne({ id: 'e-1' }, { session })),
      );
      expect(await events.countDocuments()).toBe(1);
      await client.db().dropDatabase();
    });
  });
});

describeWith('a test process that is killed', 'setpriv', () => {
  describeWithOwnEngines('with an engine', ['redis'], () => {
    it('takes the engine with it', async () => {
      const module = new URL('./support/engines/redis-server.ts', import.meta.url).href;
      const code = `
        const { startRedisServer } = await import('${module}');
        const { port, folder } = await startRedisServer();
        process.stdout.write(JSON.stringify({ port, folder }));
        setInterval(() => undefined, 60_000);`;
      const child = spawn(process.execPath, ['--input-type=module', '--eval', code]);
      const [said] = (await once(child.stdout, 'data')) as [Buffer];
      const { port, folder } = JSON.parse(said.toString()) as { port: number; folder: string };
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      // A killed server's connection ends either way: with a FIN or, before it took it, with a reset.
      socket.on('error', () => undefined);
      const closed = new Promise((resolve) => socket.resume().once('close', resolve));
      child.kill('SIGKILL');
      await closed;
      rmSync(dirname(folder), { recursive: true });
    });
  });
});

async function withRedis<T>(url: string, use: (client: RedisClient) => Promise<T>): Promise<T> {
  const client = redisClient(url);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

type RedisClient = ReturnType<typeof redisClient>;

function redisClient(url: string) {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  // Each call rejects by itself.
  client.on('error', () => undefined);
  return client;
}

async function withMongo(url: string, use: (client: MongoClient) => Promise<void>): Promise<void> {
  const client = new MongoClient(url);
  try {
    await use(client);
  } finally {
    await client.close();
  }
}
