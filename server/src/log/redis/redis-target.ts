import { readFileSync } from 'node:fs';
import { HubError } from '../../base/errors.ts';

/** The three keys of one log. */
export interface LogKeys {
  /** The stream. */
  readonly stream: string;
  /** A hash: the log's identity, the format's version and what was trimmed. It marks the stream as the hub's. */
  readonly hub: string;
  /** A hash: event id to mark, for the entries that are in the stream. */
  readonly ids: string;
}

/** What the URL of a log says. */
export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** The certificates to trust beside the system's, as PEM. */
  readonly ca: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly keys: LogKeys;
  /** The URL without credentials, for messages. */
  readonly shown: string;
}

const parameters = ['stream', 'ca'];
const defaultStream = 'events';

/** `redis://[user:pass@]host:6379/DB?stream=NAME`, `rediss:` for TLS, `ca=FILE` for certificates of one's own. */
export function parseRedisUrl(text: string): RedisTarget {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Another one means that a part of the password is taken for something else, and would be told.
  const rest = url === undefined ? text : `${url.pathname}${url.search}${url.hash}`;
  if (rest.includes('@')) {
    throw unusable(
      'percent-encode "/", "?", "#" and "%" in the user and the password, and "@" after them',
    );
  }
  if (url === undefined || url.hostname === '') {
    throw unusable('expected redis://host:6379, with /DB and ?stream=NAME where wanted');
  }
  const unknown = [...url.searchParams.keys()].find((name) => !parameters.includes(name));
  if (unknown !== undefined) {
    throw unusable(`it has the parameter "${unknown}"; known: ${parameters.join(', ')}`);
  }
  const tls = url.protocol === 'rediss:';
  if (!tls && url.searchParams.has('ca')) {
    throw unusable('?ca= is for rediss://, a connection by TLS');
  }
  const path = /^\/?(\d{0,5})$/.exec(url.pathname);
  if (path === null) throw unusable('the path is the number of a database, such as /0');
  const stream = url.searchParams.get('stream') ?? defaultStream;
  if (stream === '') throw unusable('?stream= names no stream');
  const port = Number(url.port === '' ? 6379 : url.port);
  const database = Number(path[1]);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    tls,
    ca: readCertificates(url.searchParams.get('ca')),
    username: url.username === '' ? undefined : decoded(url.username),
    password: url.password === '' ? undefined : decoded(url.password),
    database,
    keys: { stream, hub: `${stream}:hub`, ids: `${stream}:ids` },
    shown: `${url.protocol}//${url.hostname}:${port}/${database}`,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unusable('it has a "%" that begins no percent-encoding: write %25');
  }
}

function readCertificates(file: string | null): string | undefined {
  if (file === null) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : String(reason);
    throw unusable(`the certificates of ?ca= cannot be read (${why})`);
  }
}

/** Without the URL itself, which may hold a password. */
function unusable(problem: string): HubError {
  return new HubError('invalid', `EVENT_HUB_LOG is no usable Redis URL: ${problem}`);
}
