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
  /** A part of a sharded cluster, in which each set has a name of its own. */
  readonly part?: { readonly role: 'configsvr' | 'shardsvr'; readonly set: string };
  /** More of mongod's own: `['--setParameter', 'enableTestCommands=1']`. */
  readonly args?: readonly string[];
  readonly port?: number;
  /** Where its data goes, and stays; a temporary one without it. */
  readonly folder?: string;
}

const usualSet = 'rs0';

/** A MongoDB of our own on 127.0.0.1. Everything that resolves has awaited that it is so. */
export class MongoServer extends EngineServer {
  /** Without a database: `mongodb://127.0.0.1:PORT/?directConnection=true`. */
  readonly url: string;
  readonly #isStandalone: boolean;
  readonly #part: MongoServerOptions['part'];

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
        ...(isStandalone ? [] : ['--replSet', options.part?.set ?? usualSet]),
        ...(options.part === undefined ? [] : [`--${options.part.role}`]),
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
    this.#part = options.part;
  }

  /** As members of the set and other parts of a cluster name it: `SET/HOST:PORT`. */
  get setAddress(): string {
    return `${this.#part?.set ?? usualSet}/127.0.0.1:${this.port}`;
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
    const [set] = this.setAddress.split('/');
    const client = new MongoClient(`mongodb://127.0.0.1:${this.port}/?replicaSet=${set}`);
    try {
      await client.db('admin').command({ ping: 1 }, { readPreference: 'primary' });
    } finally {
      await client.close();
    }
  }

  async #initiate(): Promise<void> {
    const client = new MongoClient(this.url);
    try {
      const [set, host] = this.setAddress.split('/');
      const configsvr = this.#part?.role === 'configsvr' ? { configsvr: true } : {};
      const config = { _id: set, ...configsvr, members: [{ _id: 0, host }] };
      await client.db('admin').command({ replSetInitiate: config });
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
