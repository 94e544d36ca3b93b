import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { declaredSettings } from '../src/config/declared-settings.ts';
import { roles } from '../src/config/settings.ts';
import { engines } from './support/engines/find-engine.ts';
import { startKafkaServer } from './support/engines/kafka-server.ts';
import { durableRedisSettings } from './support/engines/redis-server.ts';
import { openLog, withAdmin } from './support/kafka-harness.ts';
import { describeWith, describeWithOwnEngines } from './support/needed-program.ts';
import { readYaml } from './support/read-yaml.ts';
import { exists, repository } from './support/source-files.ts';
import { startTestHub } from './support/start-test-hub.ts';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly [option: string]: unknown;
}

interface Compose {
  readonly name: string;
  readonly include?: readonly string[];
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const hubRoles = { app: 'http', 'grpc-server': 'grpc', 'metrics-consumer': 'readers' };

describeWith('the compose file', 'python', (python) => {
  const file = 'deploy/compose.yaml';
  const read = (context: TestContext, path = file) => readYaml(context, python, path) as Compose;
  const servicesOf = (context: TestContext) => Object.entries(read(context).services);
  const hubsOf = (context: TestContext) =>
    servicesOf(context).filter(([name]) => Object.hasOwn(hubRoles, name));

  it('is what the one at the root includes, under the same name', (context) => {
    const root = read(context, 'compose.yaml');
    expect(root).toEqual({ name: 'event-hub', include: [file] });
    expect(read(context).name).toBe('event-hub');
  });

  it('has the services of the hub, one for each role, and its engines', (context) => {
    const services = servicesOf(context);
    expect(services.map(([name]) => name)).toEqual([...Object.keys(hubRoles), 'redis', 'mongo']);
    const given = services.flatMap(([, { environment }]) => environment?.EVENT_HUB_ROLES ?? []);
    expect(given).toEqual([...roles]);
    for (const [name, { environment }] of hubsOf(context)) {
      expect(environment?.EVENT_HUB_ROLES).toBe(hubRoles[name as keyof typeof hubRoles]);
    }
  });

  it('publishes every port on 127.0.0.1 alone, and all of them can be moved', (context) => {
    const ports = servicesOf(context).flatMap(([, service]) => service.ports ?? []);
    expect(ports).toEqual([
      published('HTTP_PORT', 8000),
      published('GRPC_PORT', 50051),
      published('REDIS_PORT', 6379),
      published('MONGO_PORT', 27017),
    ]);
  });

  it('gives all roles the same settings, and only such that there are', (context) => {
    const hubs = hubsOf(context).map(([, { environment = {} }]) => environment);
    // Node.js's own, for all that it runs: not of the hub, and more for the readers.
    const shared = hubs.map(({ EVENT_HUB_ROLES, NODE_OPTIONS, ...others }) => others);
    expect(shared.every((one) => JSON.stringify(one) === JSON.stringify(shared[0]))).toBe(true);
    const known = ['NODE_OPTIONS', ...declaredSettings.map(({ env }) => env)];
    expect(hubs.flatMap(Object.keys).filter((name) => !known.includes(name))).toEqual([]);
    for (const {
      EVENT_HUB_LOG,
      EVENT_HUB_STORE,
      EVENT_HUB_ROLES,
      EVENT_HUB_ALLOW_ANONYMOUS,
      EVENT_HUB_ACCESS_GRACE,
      NODE_OPTIONS,
      ...handedOn
    } of hubs) {
      const heapMb = EVENT_HUB_ROLES === 'readers' ? 2048 : 256;
      expect(NODE_OPTIONS).toBe(`--max-semi-space-size=16 --max-old-space-size=${heapMb}`);
      expect(EVENT_HUB_LOG).toBe('redis://redis:6379');
      expect(EVENT_HUB_STORE).toBe('mongodb://mongo:27017/event_hub?replicaSet=rs0');
      // Whoever is on the machine may come in: every port is published on 127.0.0.1 alone.
      expect(EVENT_HUB_ALLOW_ANONYMOUS).toBe(`\${EVENT_HUB_ALLOW_ANONYMOUS:-true}`);
      expect(EVENT_HUB_ACCESS_GRACE).toBe(`\${EVENT_HUB_ACCESS_GRACE:-1h}`);
      for (const [name, value] of Object.entries(handedOn)) expect(value).toBe(`\${${name}:-}`);
    }
  });

  it('restarts every service, gives it 20 s to end, and asks for its health', (context) => {
    for (const [, service] of servicesOf(context)) {
      expect(service.restart).toBe('unless-stopped');
      expect(service.stop_grace_period).toBe('20s');
      expect(service.healthcheck.test.length).toBeGreaterThan(1);
    }
  });

  it('starts the hub after healthy engines, read-only and without rights', (context) => {
    for (const [, service] of hubsOf(context)) {
      expect(service.depends_on).toEqual({
        redis: { condition: 'service_healthy' },
        mongo: { condition: 'service_healthy' },
      });
      expect(service.read_only).toBe(true);
      expect(service.cap_drop).toEqual(['ALL']);
      expect(service.security_opt).toEqual(['no-new-privileges:true']);
    }
  });

  it('builds the image once, of which all roles are made', (context) => {
    const hubs = hubsOf(context).map(([, service]) => service);
    expect(new Set(hubs.map(({ image }) => image))).toEqual(new Set(['event-hub']));
    expect(hubs.flatMap(({ build }) => build ?? [])).toEqual([
      { context: '..', dockerfile: 'deploy/Dockerfile' },
    ]);
  });

  it('keeps the data of both engines in volumes with names', (context) => {
    const { services, volumes } = read(context);
    expect(Object.keys(volumes)).toEqual(['hub_mongo', 'hub_redis']);
    expect(services.redis?.volumes).toEqual(['hub_redis:/data']);
    expect(services.mongo?.volumes).toEqual(['hub_mongo:/data/db']);
  });

  it('runs the engines that the tests would take, Redis with the durable settings', (context) => {
    const { redis, mongo } = read(context).services;
    expect([redis?.image, mongo?.image]).toEqual([engines.redis.image, engines.mongo.image]);
    const [program, ...options] = redis?.command ?? [];
    expect(program).toBe('redis-server');
    const durable = Object.entries(durableRedisSettings).flatMap(([name, value]) => [
      `--${name}`,
      value,
    ]);
    expect(options).toEqual([...durable, '--save', '']);
    expect(mongo?.command?.join(' ')).toContain('mongod --replSet rs0');
  });
});

describeWith('the compose file of Kafka', 'python', (python) => {
  const read = (context: TestContext) =>
    readYaml(context, python, 'deploy/compose.kafka.yaml') as Compose;
  const kafkaOf = (context: TestContext) => read(context).services.kafka as Service;

  it('goes over the other one: the same hub, and Kafka besides', (context) => {
    const { name, services } = read(context);
    expect(name).toBe('event-hub');
    expect(Object.keys(services)).toEqual([...Object.keys(hubRoles), 'redis', 'kafka']);
  });

  it('puts Kafka in the place of Redis, with a database of its own', (context) => {
    const { services } = read(context);
    for (const role of Object.keys(hubRoles)) {
      expect(services[role]).toEqual({
        environment: {
          EVENT_HUB_LOG: 'kafka://kafka:19092/events',
          EVENT_HUB_STORE: 'mongodb://mongo:27017/event_hub_kafka?replicaSet=rs0',
          ...(role === 'metrics-consumer' && {
            NODE_OPTIONS: '--max-semi-space-size=16 --max-old-space-size=512',
          }),
        },
        depends_on: {
          redis: { condition: 'service_healthy', required: false },
          kafka: { condition: 'service_healthy' },
        },
      });
    }
    expect(services.redis).toEqual({ profiles: ['redis'] });
  });

  it('publishes Kafka on 127.0.0.1 alone, under the address that it gives its clients', (context) => {
    const { environment = {}, ports } = kafkaOf(context);
    const port = published('KAFKA_PORT', 9092);
    expect(ports).toEqual([port]);
    const outside = port.slice(0, port.lastIndexOf(':'));
    expect(environment.KAFKA_ADVERTISED_LISTENERS).toBe(`HUB://kafka:19092,HOST://${outside}`);
    expect(environment.KAFKA_LISTENERS).toBe(
      'HUB://:19092,HOST://:9092,CONTROLLER://localhost:9093',
    );
  });

  it('restarts the broker, gives it time to end, and asks for its health', (context) => {
    const { restart, stop_grace_period, healthcheck } = kafkaOf(context);
    expect([restart, stop_grace_period]).toEqual(['unless-stopped', '60s']);
    expect(healthcheck.test.slice(0, 3)).toEqual(['CMD', 'bash', '-c']);
  });

  it('runs the broker that the tests would take, its data in a volume with a name', (context) => {
    const { image, environment = {}, volumes } = kafkaOf(context);
    expect(image).toBe(engines.kafka.image);
    expect(Object.keys(read(context).volumes)).toEqual(['hub_kafka']);
    expect(volumes).toEqual([`hub_kafka:${environment.KAFKA_LOG_DIRS}`]);
  });

  describeWithOwnEngines('whose broker', ['kafka'], () => {
    it('keeps what it acknowledged, and says when it is healthy', async (context) => {
      const { environment = {}, healthcheck } = kafkaOf(context);
      const server = await startKafkaServer({ properties: propertiesIn(environment) });
      onTestFinished(() => server.remove());
      const url = `${server.url}/by-hand`;
      // Without settings of its own, so that the broker's count.
      await withAdmin(url, (admin) =>
        admin.createTopics({ topics: ['by-hand'], partitions: 1, replicas: 1 }),
      );
      const log = await openLog(url);
      expect((await log.check()).durability).toBe(
        'Kafka acks=all with flush.messages=1: on the disk of the broker before the answer',
      );
      await log.close();

      const [, program = '', ...args] = healthcheck.test;
      const isHealthy = async () => {
        const own = args.map((text) => text.replace('/19092', `/${server.port}`));
        const [code] = await once(spawn(program, own, { stdio: 'ignore' }), 'close');
        return code === 0;
      };
      await expect.poll(isHealthy).toBe(true);
      server.pause();
      expect(await isHealthy()).toBe(false);
      await server.kill();
      expect(await isHealthy()).toBe(false);
    });
  });
});

describe('the image', () => {
  const dockerfile = readFileSync(join(repository, 'deploy/Dockerfile'), 'utf8');
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

  it('runs the hub without a shell, and not as root', () => {
    expect(last).toMatch(/^USER node$/m);
    expect(last).toMatch(/^ENTRYPOINT \["event-hub"\]\nCMD \["serve"\]$/m);
    expect(last).toMatch(/^VOLUME \["\/data"\]$/m);
    expect(last).toContain('EVENT_HUB_HTTP_HOST=0.0.0.0');
    expect(last).toContain('EVENT_HUB_LOG=sqlite:/data/event-hub.db');
  });

  it('has the memory bounds of npm start', () => {
    const manifest = readFileSync(join(repository, 'package.json'), 'utf8');
    const bounds = manifest.match(/"start": .*?node (--max.*?) server/)?.[1];
    expect(bounds).toBeDefined();
    expect(last).toContain(`NODE_OPTIONS="${bounds}"`);
  });

  it('is made of files that exist and that the build context lets through', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      ([, names = '']) => names.split(' '),
    );
    expect(copied.filter((name) => !exists(name))).toEqual([]);
    const lines = readFileSync(join(repository, '.dockerignore'), 'utf8').split('\n');
    const allowed = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const isAllowed = (name: string) =>
      allowed.some((path) => name === path || name.startsWith(`${path}/`));
    expect(copied.filter((name) => !isAllowed(name))).toEqual([]);
    expect(lines).toContain('*');
  });
});

describe('the health check of the image', () => {
  it('says whether the hub is ready, and whether it lives', async () => {
    const hub = await startTestHub();
    const port = Number(new URL(hub.url).port);
    expect(await checkHealth(port)).toMatchObject({
      code: 0,
      said: expect.stringMatching(/^200 .*"ok"/),
    });
    expect(await checkHealth(port, '/livez')).toMatchObject({ code: 0 });
    expect(await checkHealth(port, '/nowhere')).toMatchObject({ code: 1 });
    await hub.remove();
    expect(await checkHealth(port)).toMatchObject({ code: 1 });
  });
});

function published(variable: string, port: number): string {
  return `127.0.0.1:\${${variable}:-${port}}:${port}`;
}

/** As the image reads them, without those that say where the broker is and where its data goes. */
function propertiesIn(environment: Readonly<Record<string, string>>): Record<string, string> {
  const own = /^KAFKA_(?!.*(LISTENER|CONTROLLER|LOG_DIRS|NODE_ID|ROLES|HEAP))/;
  return Object.fromEntries(
    Object.entries(environment)
      .filter(([name]) => own.test(name))
      .map(([name, value]) => [
        name.slice('KAFKA_'.length).toLowerCase().replaceAll('_', '.'),
        value,
      ]),
  );
}

async function checkHealth(port: number, ...args: readonly string[]) {
  const script = join(repository, 'deploy/healthcheck.js');
  const child = spawn(process.execPath, [script, ...args], {
    env: { EVENT_HUB_HTTP_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { code: code as number, said };
}
