import { HubError } from '../../base/errors.ts';
import { decodedPart, refuseUnknownParameters } from '../../base/url-parts.ts';
import { tlsOfUrl, tlsParameters, type UrlTls } from '../../base/url-tls.ts';

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
  readonly tls: UrlTls | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly keys: LogKeys;
  /** The URL without credentials, for messages. */
  readonly shown: string;
}

const parameters = ['stream', ...tlsParameters];
const defaultStream = 'events';

/** `redis://[user:pass@]host:6379/DB?stream=NAME`, `rediss:` for TLS with `ca=FILE`, `cert=FILE` and `key=FILE` for certificates of one's own. */
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
  refuseUnknownParameters(url.searchParams, parameters, unusable);
  const scheme = url.protocol.slice(0, -1);
  const tls = tlsOfUrl(url.searchParams, { scheme, secureScheme: 'rediss', unusable });
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
    username: url.username === '' ? undefined : decodedPart(url.username, unusable),
    password: url.password === '' ? undefined : decodedPart(url.password, unusable),
    database,
    keys: { stream, hub: `${stream}:hub`, ids: `${stream}:ids` },
    shown: `${url.protocol}//${url.hostname}:${port}/${database}`,
  };
}

/** Without the URL itself, which may hold a password. */
function unusable(problem: string): HubError {
  return new HubError('invalid', `EVENT_HUB_LOG is no usable Redis URL: ${problem}`);
}
