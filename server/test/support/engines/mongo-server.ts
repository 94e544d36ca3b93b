import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MongoClient, MongoServerError } from 'mongodb';
import { temporaryFolder } from '../temporary-folder.ts';
import { EngineProcess, freeEnginePort } from './engine-process.ts';
import { EngineServer } from './engine-server.ts';
import { findOwnEngine, type OwnEngine } from './find-engine.ts';

export interface MongoServerOptions {
  /** A replica set of one, unless this is true: a server without transactions. */
  readonly standalone?: boolean;
  /** More of mongod's own: `['--setParameter', 'enableTestCommands=1']`. */
  readonly args?: readonly string[];
  readonly port?: number;
  /** Where its data goes, and stays; a temporary one without it. */
  readonly folder?: string;
}

const replicaSet = 'rs0';

/** A MongoDB of our own on 127.0.0.1. Everything that resolves has awaited that it is so. */
export class MongoServer extends EngineServer {
  /** Without a database: `mongodb://127.0.0.1:PORT/?directConnection=true`. */
  readonly url: string;
  readonly #isStandalone: boolean;

  constructor(
    engine: OwnEngine,
    port: number,
    folder: string,
    options: MongoServerOptions,
    removeFolder: () => void,
  ) {
    const isStandalone = options.standalone === true;
    const host = engine.kind === 'docker' ? '0.0.0.0' : '127.0.0.1';
    const process = new EngineProcess(engine, {
      program: 'mongod',
      args: [
        ...['--port', String(port), '--bind_ip', host, '--dbpath', folder, '--nounixsocket'],
        ...['--wiredTigerCacheSizeGB', '0.25', '--oplogSize', '64'],
        ...(isStandalone ? [] : ['--replSet', replicaSet]),
        // A primary would wait 15 s for its clients to go before it stops.
        ...['--setParameter', 'shutdownTimeoutMillisForSignaledShutdown=100'],
        ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
        ...(options.args ?? []),
      ],
      port,
      folder,
      ready: /Waiting for connections/,
    });
    super({ port, folder, process, removeFolder });
    this.url = this.urlOf('');
    this.#isStandalone = isStandalone;
  }

  urlOf(database: string): string {
    return `mongodb://127.0.0.1:${this.port}/${database}?directConnection=true`;
  }

  /** On the same port and folder as before; resolves when there is a primary. */
  async start(): Promise<void> {
    await this.process.start();
    if (this.#isStandalone) return;
    await this.#initiate();
    // Only a client that knows the set waits for its primary.
    const client = new MongoClient(`mongodb://127.0.0.1:${this.port}/?replicaSet=${replicaSet}`);
    try {
      await client.db('admin').command({ ping: 1 }, { readPreference: 'primary' });
    } finally {
      await client.close();
    }
  }

  async #initiate(): Promise<void> {
    const client = new MongoClient(this.url);
    try {
      const members = [{ _id: 0, host: `127.0.0.1:${this.port}` }];
      await client.db('admin').command({ replSetInitiate: { _id: replicaSet, members } });
    } catch (reason) {
      const isDone = reason instanceof MongoServerError && reason.codeName === 'AlreadyInitialized';
      if (!isDone) throw reason;
    } finally {
      await client.close();
    }
  }
}

/** Resolves when it answers, as a primary. For whoever calls it: `remove()`. */
export async function startMongoServer(options: MongoServerOptions = {}): Promise<MongoServer> {
  const engine = findOwnEngine('mongo');
  if (engine === undefined) throw new Error('there is no mongod: `npm run engines` fetches one');
  const temporary = temporaryFolder();
  const folder = options.folder ?? join(temporary.path, 'mongo');
  mkdirSync(folder, { recursive: true });
  const port = options.port ?? (await freeEnginePort());
  const server = new MongoServer(engine, port, folder, options, temporary.remove);
  try {
    await server.start();
    return server;
  } catch (reason) {
    await server.remove();
    throw reason;
  }
}
