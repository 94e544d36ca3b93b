/** A part of the house, and whom it may import. What is not listed is forbidden. */
export interface Room {
  readonly name: string;
  /** Paths under `server/src`; the first room that matches has the file. */
  readonly files: RegExp;
  readonly rooms: readonly string[] | 'all';
  /** Packages by name; Node.js's own modules are open to all. */
  readonly packages?: readonly string[];
}

/** The import table. `ARCHITECTURE.md` shows it; this is where it holds. */
export const rooms: readonly Room[] = [
  { name: 'base', files: /^base\//, rooms: [], packages: ['pino'] },
  { name: 'event', files: /^event\//, rooms: ['base'], packages: ['uuid'] },
  {
    name: 'ports',
    files: /^(log\/event-log|store\/event-store)\.ts$/,
    rooms: ['event', 'base'],
  },
  {
    name: 'engines',
    files: /^engines\/sqlite\//,
    rooms: ['ports', 'event', 'base'],
  },
  {
    name: 'registries',
    files: /^(log|store)\/index\.ts$/,
    rooms: ['ports', 'log/sqlite', 'store/sqlite', 'base'],
  },
  {
    name: 'log decorators',
    files: /^log\/[^/]+\.ts$/,
    rooms: ['ports', 'event', 'base'],
  },
  // An adapter takes the options of its `open` from its registry, as a type.
  {
    name: 'log/sqlite',
    files: /^log\/sqlite\//,
    rooms: ['engines', 'ports', 'registries', 'event', 'base'],
  },
  {
    name: 'store/sqlite',
    files: /^store\/sqlite\//,
    rooms: ['engines', 'ports', 'registries', 'event', 'base'],
  },
  { name: 'readers', files: /^readers\//, rooms: ['ports', 'event', 'base'] },
  { name: 'auth', files: /^auth\//, rooms: ['ports', 'event', 'base'] },
  // The application's interface, and under `hub/` what is behind it: only main.ts puts that together.
  { name: 'hub', files: /^hub\.ts$/, rooms: ['readers', 'auth', 'ports', 'event', 'base'] },
  {
    name: 'hub parts',
    files: /^hub\//,
    rooms: ['hub', 'readers', 'auth', 'ports', 'event', 'base'],
  },
  {
    name: 'protocol registry',
    files: /^protocols\/index\.ts$/,
    rooms: [
      'protocols',
      'protocols/rest',
      'protocols/graphql',
      'protocols/grpc',
      'protocols/metrics',
      'protocols/docs',
    ],
  },
  {
    name: 'protocols',
    files: /^protocols\/[^/]+\.ts$/,
    rooms: ['protocols/http', 'hub', 'event', 'base'],
  },
  {
    name: 'protocols/http',
    files: /^protocols\/http\//,
    rooms: ['protocols', 'hub', 'event', 'base'],
  },
  {
    name: 'rest contract',
    files: /^protocols\/rest\/openapi\//,
    rooms: ['protocols', 'protocols/http', 'event', 'base'],
  },
  {
    name: 'protocols/rest',
    files: /^protocols\/rest\//,
    rooms: ['rest contract', 'protocols', 'protocols/http', 'hub', 'event', 'base'],
  },
  {
    name: 'protocols/graphql',
    files: /^protocols\/graphql\//,
    rooms: ['protocols', 'protocols/http', 'hub', 'event', 'base'],
    packages: [
      '@graphql-yoga/render-graphiql',
      '@pothos/core',
      'graphql',
      'graphql-ws',
      'graphql-yoga',
      'ws',
    ],
  },
  {
    name: 'protocols/grpc',
    files: /^protocols\/grpc\//,
    rooms: ['protocols', 'hub', 'event', 'base'],
    packages: ['@grpc/grpc-js', '@grpc/reflection', 'protobufjs'],
  },
  {
    name: 'protocols/metrics',
    files: /^protocols\/metrics\//,
    rooms: ['protocols', 'protocols/http', 'hub', 'event', 'base'],
    packages: ['prom-client'],
  },
  // The pages show REST's contract, and nothing else of REST.
  {
    name: 'protocols/docs',
    files: /^protocols\/docs\//,
    rooms: ['rest contract', 'protocols', 'protocols/http', 'hub', 'event', 'base'],
  },
  { name: 'environment', files: /^config\/environment\.ts$/, rooms: [] },
  {
    name: 'config',
    files: /^config\//,
    rooms: ['environment', 'registries', 'event', 'base'],
    packages: ['zod'],
  },
  { name: 'version', files: /^version\.ts$/, rooms: [] },
  { name: 'main', files: /^main\.ts$/, rooms: 'all' },
  {
    name: 'cli',
    files: /^cli\//,
    rooms: 'all',
    packages: [
      '@grpc/grpc-js',
      '@grpc/proto-loader',
      'csv-parse',
      'graphql-ws',
      'protobufjs',
      'ws',
    ],
  },
];

export interface BannedUse {
  /** As `nameOf` spells it, in any position of the code. */
  readonly names: readonly string[];
  /** Modules that bring the same. */
  readonly modules?: readonly string[];
  /** Where it may stand, under `server/src`; nowhere when absent. */
  readonly only?: RegExp;
  readonly instead: string;
}

export const bannedUses: readonly BannedUse[] = [
  {
    names: ['process.env'],
    modules: ['node:process'],
    only: /^config\/environment\.ts$/,
    instead: 'take a setting, or `environment()` of config/environment.ts',
  },
  {
    names: ['Date.now', 'new Date', 'performance.now', 'setTimeout', 'setInterval', 'setImmediate'],
    modules: ['node:timers', 'node:timers/promises', 'node:perf_hooks'],
    only: /^base\/clock\.ts$/,
    instead: 'take a `Clock`, or use `formatInstant` or `yieldTurn` of base/clock.ts',
  },
  { names: ['console'], instead: 'take a `Logger`; a command writes to its `Terminal`' },
  {
    names: ['Math.random'],
    instead: 'use node:crypto, or a seeded generator where it must repeat',
  },
  {
    names: ['process.exit'],
    only: /^cli\//,
    instead: 'throw; only a command line ends the process',
  },
];
