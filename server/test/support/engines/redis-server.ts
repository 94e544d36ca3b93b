import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { temporaryFolder } from '../temporary-folder.ts';
import { EngineProcess, freeEnginePort } from './engine-process.ts';
import { EngineServer } from './engine-server.ts';
import { findOwnEngine, type OwnEngine } from './find-engine.ts';

/** What the hub demands before it calls an answer durable. */
export const durableRedisSettings = {
  appendonly: 'yes',
  appendfsync: 'always',
  'no-appendfsync-on-rewrite': 'no',
  'maxmemory-policy': 'noeviction',
} as const;

export interface RedisServerOptions {
  /** Over the durable ones, as in redis.conf: `{ appendfsync: 'no', maxmemory: '32mb' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** Where its data goes, and stays; a temporary one without it. */
  readonly folder?: string;
}

/** A Redis of our own on 127.0.0.1. Everything that resolves has awaited that it is so. */
export class RedisServer extends EngineServer {
  readonly url: string;

  constructor(
    engine: OwnEngine,
    port: number,
    folder: string,
    options: RedisServerOptions,
    removeFolder: () => void,
  ) {
    const host = engine.kind === 'docker' ? '0.0.0.0' : '127.0.0.1';
    const settings = { save: '', ...durableRedisSettings, ...options.settings };
    const process = new EngineProcess(engine, {
      program: 'redis-server',
      args: [
        ...['--port', String(port), '--bind', host, '--dir', folder, '--protected-mode', 'no'],
        ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
      ],
      port,
      folder,
      ready: /Ready to accept connections/,
    });
    super({ port, folder, process, removeFolder });
    this.url = `redis://127.0.0.1:${port}`;
  }

  /** On the same port and folder as before; resolves when PING is answered. */
  async start(): Promise<void> {
    await this.process.start();
    const client = createClient({ url: this.url, socket: { reconnectStrategy: false } });
    client.on('error', () => undefined);
    await client.connect();
    await client.close();
  }
}

/** Resolves when it answers. For whoever calls it: `remove()`. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const engine = findOwnEngine('redis');
  if (engine === undefined)
    throw new Error('there is no redis-server: `npm run engines` fetches one');
  const temporary = temporaryFolder();
  const folder = options.folder ?? join(temporary.path, 'redis');
  mkdirSync(folder, { recursive: true });
  const port = options.port ?? (await freeEnginePort());
  const server = new RedisServer(engine, port, folder, options, temporary.remove);
  try {
    await server.start();
    return server;
  } catch (reason) {
    await server.remove();
    throw reason;
  }
}
