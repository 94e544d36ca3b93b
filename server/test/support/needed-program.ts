import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { type CheckerName, checkers, fetchedChecker } from './checkers.ts';
import { missingForCluster } from './engines/find-cluster.ts';
import { type EngineName, findEngine, findOwnEngine } from './engines/find-engine.ts';
import { canCutPower } from './page-cache.ts';
import { canMount } from './small-disk.ts';

interface Needed {
  readonly names: readonly string[];
  readonly variable: string;
  readonly toGet: string;
  /** Where it is when it is not on the path. */
  readonly fetched?: readonly string[];
  /** Where having it is not enough: the machine may forbid its use, which is no failure even where everything must run. */
  readonly works?: () => boolean;
}

/** Programs that some tests drive and that a newcomer's machine may lack. */
const programs = {
  chromium: {
    names: ['chromium', 'chromium-browser', 'google-chrome'],
    variable: 'CHROMIUM',
    toGet: 'install chromium, or name it in CHROMIUM',
  },
  python: {
    names: ['python3'],
    variable: 'PYTHON',
    toGet: 'install Python 3, or name it in PYTHON',
  },
  prometheus: {
    names: ['prometheus'],
    variable: 'PROMETHEUS',
    toGet: 'install prometheus, or name it in PROMETHEUS',
  },
  promtool: {
    names: ['promtool'],
    variable: 'PROMTOOL',
    toGet: 'install prometheus, or name its promtool in PROMTOOL',
  },
  openssl: {
    names: ['openssl'],
    variable: 'OPENSSL',
    toGet: 'install openssl, or name it in OPENSSL',
  },
  setpriv: {
    names: ['setpriv'],
    variable: 'SETPRIV',
    toGet: 'run on Linux with util-linux, whose kernel ends a child with its parent',
    works: () => process.platform === 'linux',
  },
  mount: {
    names: ['mount'],
    variable: 'MOUNT',
    toGet: 'run as root on Linux, where a small disk can be mounted',
    works: canMount,
  },
  cachestat: {
    names: ['python3'],
    variable: 'PYTHON',
    toGet: 'run with Python 3 on Linux 6.5 or newer, whose kernel says what is not on the disk yet',
    works: canCutPower,
  },
} as const satisfies Record<string, Needed>;

export type NeededProgram = keyof typeof programs | CheckerName;

/**
 * Tests that need a program. Without it they are a visible skip that says why,
 * and a failure where REQUIRE_ENGINES=1 says that everything must run.
 */
export function describeWith(
  name: string,
  needed: NeededProgram,
  body: (program: string) => void,
): void {
  const program = findProgram(needed);
  if (program !== undefined) {
    describe(name, () => body(program));
    return;
  }
  const { toGet, works } = neededBy(needed);
  const mustRun = process.env.REQUIRE_ENGINES === '1' && works === undefined;
  describe(name, () => {
    it.skipIf(!mustRun)(`runs (no ${needed} here: ${toGet})`, () => {
      expect.fail(`REQUIRE_ENGINES=1, and there is no ${needed}: ${toGet}`);
    });
  });
}

/**
 * Tests on engines that they share with others, by `sharedRedis()` and
 * `sharedMongo()`. Where one is missing, each of them is counted as skipped, or
 * their group fails where REQUIRE_ENGINES=1.
 */
export function describeWithEngines(
  name: string,
  engines: readonly EngineName[],
  body: () => void,
): void {
  describeUnlessMissing(
    name,
    engines.filter((engine) => findEngine(engine) === undefined),
    body,
  );
}

/** The same for tests that start and kill engines of their own: a URL of one that runs is not enough. */
export function describeWithOwnEngines(
  name: string,
  engines: readonly EngineName[],
  body: () => void,
): void {
  const missing = engines.filter((engine) => findOwnEngine(engine) === undefined);
  describeUnlessMissing(name, missing, body);
}

/** Tests on several brokers of one cluster: containers would not find each other. */
export function describeWithBrokers(name: string, body: () => void): void {
  const inDocker = findOwnEngine('kafka')?.kind === 'docker';
  describe.skipIf(inDocker)(inDocker ? `${name} (\`npm run engines\` fetches Kafka)` : name, () =>
    describeWithOwnEngines('each of which is a process', ['kafka'], body),
  );
}

/**
 * Tests on a sharded cluster of MongoDB. Without one they are a visible skip
 * also where REQUIRE_ENGINES=1, as nothing else is: no package registry has its
 * router, so that a machine that must have everything cannot have it.
 */
export function describeWithCluster(name: string, body: () => void): void {
  const missing = missingForCluster();
  describe.skipIf(missing !== undefined)(
    missing === undefined ? name : `${name} (${missing})`,
    body,
  );
}

function describeUnlessMissing(
  name: string,
  missing: readonly EngineName[],
  body: () => void,
): void {
  const isMissing = missing.length > 0;
  const why = `no ${missing.join(' and no ')} here: \`npm run engines\` fetches it`;
  if (!isMissing || process.env.REQUIRE_ENGINES !== '1') {
    describe.skipIf(isMissing)(isMissing ? `${name} (${why})` : name, body);
    return;
  }
  it(`${name} has its engines`, () => expect.fail(`REQUIRE_ENGINES=1, and ${why}`));
}

/** For what turns out to be missing only on the way, such as packages where there is no network. */
export function leaveOut(context: TestContext, why: string): never {
  if (process.env.REQUIRE_ENGINES === '1') expect.fail(`REQUIRE_ENGINES=1, and ${why}`);
  return context.skip(why);
}

/** Its path, or undefined. */
export function findProgram(needed: NeededProgram): string | undefined {
  const { names, variable, works, fetched = [] } = neededBy(needed);
  const named = process.env[variable];
  const folders = (process.env.PATH ?? '').split(delimiter);
  const onPath = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  const paths = [...onPath, ...fetched];
  const found = named !== undefined && named !== '' ? named : paths.find(isRunnable);
  return found === undefined || works?.() === false ? undefined : found;
}

function neededBy(name: NeededProgram): Needed {
  if (!isChecker(name)) return programs[name];
  return {
    names: [name],
    variable: name.toUpperCase().replaceAll('-', '_'),
    toGet: '`npm run checkers` fetches it',
    fetched: [fetchedChecker(name)],
  };
}

function isChecker(name: NeededProgram): name is CheckerName {
  return Object.hasOwn(checkers, name);
}

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
