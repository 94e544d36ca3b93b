/** A part of the house, and whom it may import. What is not listed is forbidden. */
export interface Room {
  /** With `$1` for what `files` captures: each adapter and each protocol is a room of its own. */
  readonly name: string;
  /** Paths under `server/src`; the first room that matches has the file. */
  readonly files: RegExp;
  /** Names, with `$1` and `*`. */
  readonly rooms: readonly string[] | 'all';
  /** Packages by name; `own` are those that no other room imports. Node.js's own modules are open to all. */
  readonly packages?: readonly string[] | 'own' | 'all';
}

/** The import table. `ARCHITECTURE.md` shows it; this is where it holds. */
export const rooms: readonly Room[] = [
  { name: 'base', files: /^base\//, rooms: [], packages: ['pino'] },
  { name: 'event', files: /^event\//, rooms: ['base'], packages: ['uuid'] },
  {
    name: 'ports',
    files: /^(log\/event-log|store\/(event-store|kept-aside|key-store))\.ts$/,
    rooms: ['event', 'base'],
  },
  {
    name: 'registries',
    files: /^(log|store)\/index\.ts$/,
    rooms: ['ports', 'log/*', 'store/*', 'base'],
  },
  // Where a reader is in a log of one or several shards.
  { name: 'places', files: /^log\/(cursor|one-shard)\.ts$/, rooms: ['ports'] },
  {
    name: 'log decorators',
    files: /^log\/[^/]+\.ts$/,
    rooms: ['ports', 'places', 'event', 'base'],
  },
  // What every store computes alike.
  { name: 'counting', files: /^store\/[^/]+\.ts$/, rooms: ['ports', 'event', 'base'] },
  {
    name: 'engines/$1',
    files: /^engines\/([^/]+)\//,
    rooms: ['counting', 'ports', 'event', 'base'],
  },
  // An adapter takes the options of its `open` from its registry, as a type.
  {
    name: 'log/$1',
    files: /^log\/([^/]+)\//,
    rooms: ['engines/$1', 'ports', 'places', 'registries', 'event', 'base'],
    packages: 'own',
  },
  {
    name: 'store/$1',
    files: /^store\/([^/]+)\//,
    rooms: ['engines/$1', 'counting', 'ports', 'registries', 'event', 'base'],
    packages: 'own',
  },
  // What the variables of traces may ask for, for the settings and for what follows them.
  { name: 'tracing settings', files: /^tracing\/tracing-settings\.ts$/, rooms: [] },
  // OpenTelemetry stays in here: everybody else knows base/tracing.ts alone.
  {
    name: 'tracing',
    files: /^tracing\//,
    rooms: ['tracing settings', 'base'],
    packages: [
      '@opentelemetry/api',
      '@opentelemetry/exporter-trace-otlp-grpc',
      '@opentelemetry/exporter-trace-otlp-proto',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace',
    ],
  },
  { name: 'readers', files: /^readers\//, rooms: ['ports', 'places', 'event', 'base'] },
  // What a setting may say of tokens, for the settings and for who reads the tokens.
  { name: 'token settings', files: /^auth\/tokens\/token-settings\.ts$/, rooms: [] },
  {
    name: 'auth',
    files: /^auth\//,
    rooms: ['token settings', 'ports', 'event', 'base'],
    packages: ['jose'],
  },
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
    rooms: ['protocols', 'protocols/*'],
  },
  {
    name: 'protocols',
    files: /^protocols\/[^/]+\.ts$/,
    rooms: ['protocols/http', 'hub', 'event', 'base'],
  },
  // REST's contract, which the pages show, and nothing else of REST.
  {
    name: 'rest contract',
    files: /^protocols\/rest\/openapi\//,
    rooms: ['protocols', 'protocols/http', 'event', 'base'],
  },
  {
    name: 'protocols/$1',
    files: /^protocols\/(docs|rest)\//,
    rooms: ['rest contract', 'protocols', 'protocols/http', 'hub', 'event', 'base'],
  },
  {
    name: 'protocols/$1',
    files: /^protocols\/([^/]+)\//,
    rooms: ['protocols', 'protocols/http', 'hub', 'event', 'base'],
    packages: 'own',
  },
  { name: 'environment', files: /^config\/environment\.ts$/, rooms: [] },
  {
    name: 'config',
    files: /^config\//,
    rooms: ['environment', 'registries', 'token settings', 'tracing settings', 'event', 'base'],
    packages: ['zod'],
  },
  { name: 'version', files: /^version\.ts$/, rooms: [] },
  { name: 'main', files: /^main(\.ts$|\/)/, rooms: 'all' },
  { name: 'cli', files: /^cli\//, rooms: 'all', packages: 'all' },
];

/** The room of a file under `server/src`, with its own name in place of `$1`. */
export function roomOf(file: string): (Room & { readonly name: string }) | undefined {
  for (const room of rooms) {
    const match = room.files.exec(file);
    if (match === null) continue;
    const own = (text: string) => text.replace('$1', match[1] ?? '');
    const allowed = room.rooms === 'all' ? 'all' : room.rooms.map(own);
    return { ...room, name: own(room.name), rooms: allowed };
  }
  return undefined;
}

export function mayImport(room: Room, other: Room): boolean {
  if (room.name === other.name || room.rooms === 'all') return true;
  return room.rooms.some((name) =>
    name.endsWith('*') ? other.name.startsWith(name.slice(0, -1)) : name === other.name,
  );
}

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
