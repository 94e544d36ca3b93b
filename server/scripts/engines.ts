import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { freeEnginePort } from '../test/support/engines/engine-process.ts';
import { fetchKafka } from '../test/support/engines/fetch-kafka.ts';
import { fetchMongo } from '../test/support/engines/fetch-mongo.ts';
import {
  type EngineName,
  type FoundEngine,
  findEngine,
  findOnPath,
} from '../test/support/engines/find-engine.ts';
import { startKafkaServer } from '../test/support/engines/kafka-server.ts';
import { startMongoServer } from '../test/support/engines/mongo-server.ts';
import { startRedisServer } from '../test/support/engines/redis-server.ts';

/**
 * `npm run engines`: finds Redis, MongoDB and Kafka or fetches them, starts one of
 * each and prints the settings of a hub on them; Ctrl-C ends them and removes
 * their data. With `--fetch` it starts nothing: what the tests need is there then.
 */
const { values } = parseArgs({ options: { fetch: { type: 'boolean', default: false } } });
const toFetch: Record<EngineName, () => void> = {
  redis: installRedis,
  mongo: fetchMongo,
  kafka: fetchKafka,
};
const toInstall: Record<EngineName, string> = {
  redis: 'install redis-server with the package manager of this system, or name one in REDIS_URL',
  mongo: 'install mongod (MongoDB 6.0 or newer), or name one in MONGODB_URL',
  kafka: 'install Java 17 and Maven, with which this fetches Kafka, or name a broker in KAFKA_URL',
};

let missing = 0;
for (const name of ['redis', 'mongo', 'kafka'] as const) {
  const found = findEngine(name) ?? fetched(name);
  if (found === undefined) missing += 1;
  print(`${name}: ${found === undefined ? `not found; ${toInstall[name]}` : placeOf(found)}`);
}
if (missing > 0) process.exitCode = 1;
else if (!values.fetch) await startAll();

function fetched(name: EngineName): FoundEngine | undefined {
  try {
    toFetch[name]();
  } catch (reason) {
    print(`${name}: ${reason instanceof Error ? reason.message : reason}`);
  }
  return findEngine(name);
}

function installRedis(): void {
  const apt = findOnPath('apt-get');
  if (apt === undefined || process.getuid?.() !== 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'],
  ]) {
    const { status, stderr } = spawnSync(apt, args, { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`apt-get ${args[0]}: ${stderr.trim()}`);
  }
  // The package starts a server of its own, which nobody asked for.
  if (existsSync('/run/systemd/system'))
    spawnSync('systemctl', ['disable', '--now', 'redis-server']);
  else spawnSync('service', ['redis-server', 'stop']);
}

async function startAll(): Promise<void> {
  const ended = new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  const redis = await takeOrStart('redis', async () =>
    startRedisServer({ port: await portLike(6379) }),
  );
  const mongo = await takeOrStart('mongo', async () =>
    startMongoServer({ port: await portLike(27017) }),
  );
  const kafka = await takeOrStart('kafka', async () =>
    startKafkaServer({ port: await portLike(9092) }),
  );
  const store = new URL(mongo.url);
  if (store.pathname.length < 2) store.pathname = '/event_hub';
  print(`EVENT_HUB_LOG=${redis.url}\nEVENT_HUB_STORE=${store.href}`);
  store.pathname += '_kafka';
  print(`or on Kafka: EVENT_HUB_LOG=${kafka.url}/events EVENT_HUB_STORE=${store.href}`);
  await ended;
  await Promise.all([redis.remove(), mongo.remove(), kafka.remove()]);
}

interface Started {
  readonly url: string;
  remove(): Promise<void>;
}

async function takeOrStart(name: EngineName, start: () => Promise<Started>): Promise<Started> {
  const found = findEngine(name);
  if (found?.kind === 'url') return { url: found.url, remove: async () => undefined };
  return await start();
}

/** This one when it is free, else another. */
async function portLike(wanted: number): Promise<number> {
  const isFree = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(wanted, '127.0.0.1', () => server.close(() => resolve(true)));
  });
  return isFree ? wanted : await freeEnginePort();
}

function placeOf(found: FoundEngine): string {
  if (found.kind === 'docker') return `${found.image} in Docker`;
  return found.kind === 'url' ? new URL(found.url).host : found.path;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
