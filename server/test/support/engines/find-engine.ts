import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Programs of the tests; the images are those of deploy/compose.yaml. */
interface Engine {
  readonly program: string;
  /** Names a server that runs already. */
  readonly variable: string;
  readonly image: string;
}

export const engines = {
  redis: { program: 'redis-server', variable: 'REDIS_URL', image: 'redis:7.2' },
  mongo: { program: 'mongod', variable: 'MONGODB_URL', image: 'mongo:7.0' },
  kafka: { program: 'kafka-server', variable: 'KAFKA_URL', image: 'apache/kafka:4.1.0' },
} as const satisfies Record<string, Engine>;

export type EngineName = keyof typeof engines;

export type FoundEngine =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'program'; readonly path: string }
  | { readonly kind: 'docker'; readonly docker: string; readonly image: string };

/** An engine that we start ourselves, and so may also kill. */
export type OwnEngine = Exclude<FoundEngine, { kind: 'url' }>;

/** In this order: a URL in the environment, a program on the path, one in the cache folder, Docker. */
export function findEngine(name: EngineName): FoundEngine | undefined {
  const url = process.env[engines[name].variable];
  return url === undefined || url === '' ? findOwnEngine(name) : { kind: 'url', url };
}

/** The same without the URL. */
export function findOwnEngine(name: EngineName): OwnEngine | undefined {
  const { program, image } = engines[name];
  const path = findProgramOf(program);
  if (path !== undefined) return { kind: 'program', path };
  const docker = findDocker();
  return docker === undefined ? undefined : { kind: 'docker', docker, image };
}

/** On the path or in the cache folder. */
export function findProgramOf(program: string): string | undefined {
  return findOnPath(program) ?? runnable(join(engineFolder(), program));
}

/** Where fetched engines are kept. */
export function engineFolder(): string {
  return join(cacheFolder(), 'engines');
}

/** What is fetched for the tests: outside the checkout, for all checkouts of this user. */
export function cacheFolder(): string {
  const cache = process.env.XDG_CACHE_HOME;
  const base = cache === undefined || cache === '' ? join(homedir(), '.cache') : cache;
  return join(base, 'event-hub');
}

export function findOnPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => runnable(join(folder, program))).find((path) => path);
}

let knownDocker: { readonly path: string | undefined } | undefined;

/** The command line alone is not enough: a daemon must answer it. */
function findDocker(): string | undefined {
  if (knownDocker !== undefined) return knownDocker.path;
  const path = findOnPath('docker');
  const answers =
    path !== undefined &&
    spawnSync(path, ['version', '--format', '{{.Server.Version}}'], { timeout: 10_000 }).status ===
      0;
  knownDocker = { path: answers ? path : undefined };
  return knownDocker.path;
}

function runnable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}
