import { MongoClient } from 'mongodb';
import { temporaryFolder } from '../temporary-folder.ts';
import { EngineProcess, freeEnginePort } from './engine-process.ts';
import { clusterUrl, findRouter } from './find-cluster.ts';
import { type MongoServer, startMongoServer } from './mongo-server.ts';

/** A sharded cluster of MongoDB, reached through its router. */
export interface MongoCluster {
  /** Without a database. */
  readonly url: string;
  remove(): Promise<void>;
}

/** The one that is named in the environment, else one of our own with two shards. For whoever calls it: `remove()`. */
export async function openMongoCluster(): Promise<MongoCluster> {
  const url = clusterUrl();
  return url === undefined ? await startMongoCluster() : { url, remove: async () => undefined };
}

async function startMongoCluster(): Promise<MongoCluster> {
  const ends: (() => Promise<void>)[] = [];
  const remove = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const parts = [
      { role: 'configsvr', set: 'config' },
      { role: 'shardsvr', set: 'shard-a' },
      { role: 'shardsvr', set: 'shard-b' },
    ] as const;
    const servers: MongoServer[] = [];
    for (const part of parts) {
      const server = await startMongoServer({ part });
      ends.push(() => server.remove());
      servers.push(server);
    }
    const [config, ...shards] = servers.map(({ setAddress }) => setAddress);
    const router = await startRouter(config ?? '');
    ends.push(() => router.remove());
    const client = new MongoClient(router.url);
    ends.push(() => client.close());
    for (const addShard of shards) await client.db('admin').command({ addShard });
    return { url: router.url, remove };
  } catch (reason) {
    await remove();
    throw reason;
  }
}

async function startRouter(config: string): Promise<MongoCluster> {
  const engine = findRouter();
  if (engine === undefined) throw new Error('there is no mongos here');
  const folder = temporaryFolder();
  const port = await freeEnginePort();
  const process = new EngineProcess(engine, {
    program: 'mongos',
    args: [
      ...['--port', String(port), '--bind_ip', '127.0.0.1', '--nounixsocket'],
      ...['--configdb', config],
      ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
    ],
    port,
    folder: folder.path,
    ready: /Waiting for connections/,
  });
  const remove = async () => {
    await process.end('SIGKILL');
    folder.remove();
  };
  try {
    await process.start();
    return { url: `mongodb://127.0.0.1:${port}/`, remove };
  } catch (reason) {
    await remove();
    throw reason;
  }
}
