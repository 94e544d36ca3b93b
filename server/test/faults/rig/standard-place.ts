import { type CutProxy, startCutProxy } from '../../support/cut-proxy.ts';
import { type KafkaServer, startKafkaServer } from '../../support/engines/kafka-server.ts';
import { type MongoServer, startMongoServer } from '../../support/engines/mongo-server.ts';
import { RedisServer, startRedisServer } from '../../support/engines/redis-server.ts';
import { startKafkaBehindProxy } from '../../support/kafka-behind-proxy.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';
import { freePort } from './free-port.ts';
import { type HubAddress, HubProcess } from './hub-process.ts';
import { readKeptInEngines, readKeptOnKafka } from './read-engines.ts';
import type { KeptContent } from './read-stored.ts';

export interface StandardOptions {
  /** The engine of the log; Redis when absent. */
  readonly log?: 'redis' | 'kafka';
  /** Processes with the role `readers`, of which one at a time is active. */
  readonly readers?: number;
  /** Redis's own, over the durable ones. */
  readonly redisSettings?: Readonly<Record<string, string>>;
  /** A network that can be cut lies between the hub and its engines. */
  readonly withNetwork?: boolean;
  /** Run in place of `event-hub serve`. */
  readonly program?: string;
  /** For every process of the hub. */
  readonly env?: Readonly<Record<string, string>>;
}

/** One process of the hub, with its roles and ports, which it keeps over its restarts. */
export class Service {
  readonly name: string;
  /** `http://host:port`, where every role says how it is. */
  readonly url: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #program: string | undefined;
  #process: HubProcess | undefined;

  constructor(
    name: string,
    url: string,
    env: Readonly<Record<string, string>>,
    program: string | undefined,
  ) {
    this.name = name;
    this.url = url;
    this.#env = env;
    this.#program = program;
  }

  get isRunning(): boolean {
    return this.#process?.isRunning === true;
  }

  get stderr(): string {
    return this.#process?.stderr ?? '';
  }

  /** As a process, without waiting for it. */
  launch(): HubProcess {
    const program = this.#program;
    this.#process = new HubProcess({
      env: this.#env,
      ...(program === undefined ? {} : { program }),
    });
    return this.#process;
  }

  /** Resolves when it serves, with the milliseconds which that took. */
  async start(): Promise<number> {
    return await this.launch().ready;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.signal(signal);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL') {
    return await this.#process?.kill(signal);
  }
}

/** The layout as compose has it: three kinds of processes, Redis or Kafka, and MongoDB, all of our own. */
export class StandardPlace implements HubAddress {
  readonly url: string;
  readonly grpcAddress: string;
  readonly folder: string;
  /** For commands of `event-hub`. */
  readonly env: Readonly<Record<string, string>>;
  /** What holds the log. */
  readonly log: RedisServer | KafkaServer;
  readonly mongo: MongoServer;
  /** On the way to each engine, where there is a network. */
  readonly networks: { readonly log: CutProxy; readonly mongo: CutProxy } | undefined;
  /** In the order in which they start: `http`, `grpc`, `readers`, `readers-2`. */
  readonly services: readonly Service[];
  readonly #folder: TemporaryFolder;

  constructor(parts: Parts) {
    const { log, mongo, networks, ports, options } = parts;
    this.#folder = temporaryFolder();
    this.folder = this.#folder.path;
    this.log = log;
    this.mongo = mongo;
    this.networks = networks;
    const logPort = networks?.log.port ?? log.port;
    const mongoPort = networks?.mongo.port ?? mongo.port;
    const env = {
      EVENT_HUB_LOG: `${options.log ?? 'redis'}://127.0.0.1:${logPort}`,
      EVENT_HUB_STORE: `mongodb://127.0.0.1:${mongoPort}/event_hub?directConnection=true`,
      EVENT_HUB_LOG_LEVEL: 'warn',
      // What is tried is that events keep coming while MongoDB is away.
      EVENT_HUB_ACCESS_GRACE: '1h',
      ...options.env,
    };
    this.env = env;
    const names = ['http', 'grpc', 'readers', 'readers-2', 'readers-3'];
    this.services = names.slice(0, 2 + (options.readers ?? 1)).map((name, index) => {
      const role = name.split('-')[0] ?? name;
      const own = { EVENT_HUB_ROLES: role, EVENT_HUB_HTTP_PORT: String(ports.http[index]) };
      const grpc = role === 'grpc' ? { EVENT_HUB_GRPC_PORT: String(ports.grpc) } : {};
      const url = `http://127.0.0.1:${ports.http[index]}`;
      return new Service(name, url, { ...env, ...own, ...grpc }, options.program);
    });
    this.url = this.service('http').url;
    this.grpcAddress = `127.0.0.1:${ports.grpc}`;
  }

  get redis(): RedisServer {
    if (this.log instanceof RedisServer) return this.log;
    throw new Error('the log is not on Redis here');
  }

  service(name: string): Service {
    const found = this.services.find((service) => service.name === name);
    if (found === undefined) throw new Error(`there is no ${name} here`);
    return found;
  }

  /** Starts what does not run. */
  async start(): Promise<void> {
    const dead = this.services.filter(({ isRunning }) => !isRunning);
    await Promise.all(dead.map((service) => service.start()));
  }

  /** Sentences for the processes that do not run, though nobody killed them. */
  ended(): readonly string[] {
    return this.services
      .filter(({ isRunning }) => !isRunning)
      .map(({ name, stderr }) => `${name} ended by itself: ${stderr}`);
  }

  /** What the engines hold, asked past any network. */
  async readKept(): Promise<KeptContent> {
    const store = this.mongo.urlOf('event_hub');
    return this.log instanceof RedisServer
      ? await readKeptInEngines(this.log.url, store)
      : await readKeptOnKafka(this.log.url, 'events', store);
  }

  async remove(): Promise<void> {
    await Promise.all(this.services.map((service) => service.kill()));
    await Promise.all([this.networks?.log.close(), this.networks?.mongo.close()]);
    await Promise.all([this.log.remove(), this.mongo.remove()]);
    this.#folder.remove();
  }
}

interface Parts {
  readonly log: RedisServer | KafkaServer;
  readonly mongo: MongoServer;
  readonly networks: StandardPlace['networks'];
  readonly ports: { readonly http: readonly number[]; readonly grpc: number };
  readonly options: StandardOptions;
}

/** The engines run, the hub does not yet. For whoever calls it: `remove()`. */
export async function placeStandard(options: StandardOptions = {}): Promise<StandardPlace> {
  const [{ log, network }, mongo] = await Promise.all([startLog(options), startMongoServer()]);
  const networks =
    network === undefined ? undefined : { log: network, mongo: await startCutProxy(mongo.port) };
  const http = [];
  for (let index = 0; index < 5; index += 1) http.push(await freePort());
  const ports = { http, grpc: await freePort() };
  return new StandardPlace({ log, mongo, networks, ports, options });
}

/** With the network on the way to it, if any. */
async function startLog({ log: name, withNetwork = false, redisSettings = {} }: StandardOptions) {
  if (name !== 'kafka') {
    const log = await startRedisServer({ settings: redisSettings });
    return { log, network: withNetwork ? await startCutProxy(log.port) : undefined };
  }
  if (!withNetwork) return { log: await startKafkaServer(), network: undefined };
  const { server: log, network } = await startKafkaBehindProxy();
  return { log, network };
}
