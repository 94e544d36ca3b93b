import { isAbsolute, resolve } from 'node:path';
import { logAdapters } from '../log/index.ts';
import { storeAdapters } from '../store/index.ts';

/** The pairs of engines that the hub is designed for; one is offered once both its adapters are there. */
const designedPairs = [
  ['sqlite', 'sqlite'],
  ['redis', 'mongodb'],
  ['kafka', 'mongodb'],
] as const;

const supportedPairs = designedPairs.filter(
  ([log, store]) => Object.hasOwn(logAdapters, log) && Object.hasOwn(storeAdapters, store),
);

export interface EngineUrls {
  readonly log: string;
  readonly store: string;
}

/** The URLs with absolute paths, and what is wrong with them in the words of a setting. */
export function resolveEngineUrls(
  log: string,
  store: string | undefined,
  folder: string,
): EngineUrls | { readonly faultOf: 'log' | 'store'; readonly fault: string } {
  const logScheme = engineOf(log);
  if (!supportedPairs.some(([scheme]) => scheme === logScheme)) {
    return { faultOf: 'log', fault: `${logScheme}: is no log that this hub has; ${supported()}` };
  }
  if (store === undefined && logScheme !== 'sqlite') {
    return { faultOf: 'store', fault: `needed beside a ${logScheme} log; ${supported()}` };
  }
  const given = store ?? log;
  if (!supportedPairs.some((pair) => pair[0] === logScheme && pair[1] === engineOf(given))) {
    return {
      faultOf: 'store',
      fault: `${engineOf(given)}: does not go with a ${logScheme} log; ${supported()}`,
    };
  }
  const resolvedLog = withAbsolutePath(log, folder);
  if (resolvedLog === undefined) return { faultOf: 'log', fault: filePathExpected };
  const resolvedStore = withAbsolutePath(given, folder);
  if (resolvedStore === undefined) return { faultOf: 'store', fault: filePathExpected };
  if (logScheme === 'sqlite' && resolvedLog !== resolvedStore) {
    return {
      faultOf: 'store',
      fault: `with SQLite the log and the store are one file: leave the store out, or set it to ${resolvedLog}`,
    };
  }
  return { log: resolvedLog, store: resolvedStore };
}

const filePathExpected =
  'expected the path of a file, as in sqlite:./data/event-hub.db or sqlite:/var/lib/event-hub.db';

/** The engine's name: some have several schemes, as `rediss:` for Redis over TLS. */
export function engineOf(url: string): string {
  const scheme = schemeOf(url);
  return otherSchemes[scheme] ?? scheme;
}

const otherSchemes: Readonly<Record<string, string>> = {
  rediss: 'redis',
  kafkas: 'kafka',
  'mongodb+srv': 'mongodb',
};

export function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':'));
}

/** The file of a `sqlite:` URL. */
export function pathOfSqliteUrl(url: string): string {
  return url.slice('sqlite:'.length);
}

function withAbsolutePath(url: string, folder: string): string | undefined {
  if (schemeOf(url) !== 'sqlite') return url;
  const path = pathOfSqliteUrl(url).replace(/^\/\/(?=\/)/, '');
  // `sqlite::memory:` forgets, `sqlite://data/x.db` would name a host, a folder is no file.
  if (path === '' || path.startsWith(':') || path.startsWith('//') || path.endsWith('/')) {
    return undefined;
  }
  return `sqlite:${isAbsolute(path) ? resolve(path) : resolve(folder, path)}`;
}

function supported(): string {
  const pairs = supportedPairs.map(([log, store]) => `${log} with ${store}`);
  return `supported: log and store as ${pairs.join(', ')}`;
}
