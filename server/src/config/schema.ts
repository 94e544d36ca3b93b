import { z } from 'zod';
import { tokenAlgorithms } from '../auth/tokens/token-settings.ts';
import { logLevels } from '../base/log-level.ts';
import {
  addressRangeList,
  algorithmList,
  burstDuration,
  choice,
  claimName,
  countLimit,
  currency,
  duration,
  engineUrl,
  eventTypeList,
  filePath,
  graceDuration,
  host,
  keptDuration,
  keysPlace,
  onOff,
  originList,
  port,
  retentionDuration,
  roleList,
  type SettingType,
  tokenName,
  tokenSecret,
} from './setting-types.ts';

/** What is known of one setting besides its type. */
export interface SettingMeta {
  readonly description: string;
  /** Completes "expected ...". */
  readonly expected: string;
  /** What holds when nobody sets it, in words where it follows from another setting. */
  readonly defaultText: string;
  /** May hold a password, or is one as a `whole`: masked when printed, and read from a file by `..._FILE`. */
  readonly secret: Secret;
  /** A variable of other programs that counts when the setting's own is absent. */
  readonly fallbackEnv: string | undefined;
  readonly standsAlone: boolean;
}

export type Secret = boolean | 'whole';

export const settingMeta = z.registry<SettingMeta>();

/**
 * Every setting, once. Its env name, file key, flag and documentation follow
 * from its place here by rule: see `declared-settings.ts`.
 */
export const settingsSchema = z.strictObject({
  http: z.strictObject({
    host: setting(host, {
      default: '127.0.0.1',
      description:
        'The address that HTTP listens on. Beyond loopback the hub starts only with an API key made, a token issuer named, or `allowAnonymous`.',
    }),
    port: setting(port, {
      default: '8000',
      fallbackEnv: 'PORT',
      description:
        'The port of REST, GraphQL, the pages and the health checks; 0 is any free port.',
    }),
    trustedProxies: derived(addressRangeList, {
      defaultText: 'none',
      description:
        'The proxies in front of the hub. Only what comes from them is asked by `X-Forwarded-For` who the client is; other forwarding headers are never believed.',
    }),
    corsOrigins: derived(originList, {
      defaultText: 'none',
      description:
        'The origins whose pages may ask the hub from a browser. `*` lets every page ask; the hub has no cookies, so a page needs a credential of its own all the same.',
    }),
  }),
  grpc: z.strictObject({
    host: derived(host, {
      defaultText: 'as `http.host`',
      description: 'The address that gRPC listens on.',
    }),
    port: setting(port, {
      default: '50051',
      description: 'The port of gRPC; 0 is any free port, which the start line names.',
    }),
  }),
  metrics: z.strictObject({
    host: derived(host, {
      defaultText: 'as `http.host`',
      description: 'The address of the port that is for metrics alone.',
    }),
    port: derived(port, {
      defaultText: 'none',
      description:
        'A port for metrics alone, where no credential is asked for: open it to Prometheus and to nobody else. On the HTTP port `/metrics` asks for the scope `metrics:read`. 0 is any free port.',
    }),
    amounts: setting(onOff, {
      default: 'false',
      description:
        'Adds `event_hub_amounts_total` by type and currency to the metrics. It is approximate, since metrics are binary floating point, and whoever may read metrics then sees how much money passes: exact totals are at `/aggregates`.',
    }),
  }),
  auth: z.strictObject({
    issuer: derived(tokenName, {
      defaultText: 'no tokens are taken',
      description:
        'The issuer whose JSON Web Tokens are taken as credentials: the `iss` of each, character by character. Its keys are found by OpenID Connect discovery, under `ISSUER/.well-known/openid-configuration`, unless `auth.jwks` or `auth.secret` is set.',
    }),
    audience: derived(tokenName, {
      defaultText: 'none; needed with `auth.issuer`',
      description:
        'What the `aud` of each token must be or contain: the name of this hub at the issuer.',
    }),
    jwks: derived(keysPlace, {
      defaultText: 'by discovery from `auth.issuer`',
      description:
        "Where the issuer's public keys are, as a JSON Web Key Set: a URL (`https:`, or `http:` on loopback), or a file, which is read again when it changes.",
    }),
    algorithms: setting(algorithmList, {
      default: tokenAlgorithms.join(','),
      description: "The signature algorithms that are taken with the issuer's public keys.",
    }),
    scopesClaim: setting(claimName, {
      default: 'scope',
      description:
        'The claim with the scopes of a token, as words with blanks between them or as an array. Dots lead into objects.',
    }),
    rolesClaim: setting(claimName, {
      default: 'roles',
      description:
        'The claim with the roles of a token (`writer`, `reader`, `admin`), in the same form; with Keycloak `realm_access.roles`.',
    }),
    secret: derived(tokenSecret, {
      defaultText: 'none',
      secret: 'whole',
      description:
        'For small set-ups without an issuer that has keys: the secret with which tokens are signed by HS256. `auth.issuer` and `auth.audience` then say what must stand in them. Whoever knows it can make any token.',
    }),
  }),
  tls: z.strictObject({
    cert: derived(filePath, {
      defaultText: 'none: no TLS',
      description:
        "The server's certificate in PEM, with those between it and its authority. With it every port of the hub speaks TLS alone, of version 1.2 or newer. Read again when it changes, without a restart; the same goes for the other two.",
    }),
    key: derived(filePath, {
      defaultText: 'none',
      description: 'The private key of `tls.cert` in PEM, without a passphrase.',
    }),
    clientCa: derived(filePath, {
      defaultText: 'none: clients show no certificate',
      description:
        'The authorities of clients in PEM. With it every client must show a certificate of one of them, on every port and also for the health checks.',
    }),
  }),
  log: setting(engineUrl, {
    default: 'sqlite:./data/event-hub.db',
    secret: true,
    description:
      'The log, the only thing that a request writes to. The scheme picks the engine: `sqlite:FILE`, `redis://[user:password@]host:6379/DB?stream=NAME` (`rediss:` for TLS), `kafka://[user:password@]host:9092,host:9092/TOPIC` (`kafkas:` for TLS). SQLite goes with SQLite, Redis and Kafka with MongoDB.',
  }),
  store: derived(engineUrl, {
    defaultText: 'as `log`, with SQLite',
    secret: true,
    description:
      'Where events and counts are read from: the same file as the log with SQLite, else `mongodb://[user:password@]host/DATABASE` (or `mongodb+srv:`) on a replica set.',
  }),
  logKeep: setting(keptDuration, {
    default: '1h',
    description:
      'How long entries stay at least in a log that is trimmed behind the archive (Redis, Kafka). Longer takes more of its memory; what has left it is read from the store.',
  }),
  retention: setting(retentionDuration, {
    default: 'off',
    description:
      'How long after their receipt events are kept; `off` keeps them for ever. Older ones are removed for good, the oldest first, by a process with the role `readers`; minute totals stay, and of each event a short record, so that a repeat of it is still told from another event with its id. At least `maxFuture` and a day, and `logKeep` and a day. Processes need not agree: the shortest of those with the role `readers` is what happens. `event-hub retention preview` shows beforehand what would go.',
  }),
  roles: setting(roleList, {
    default: 'http,grpc,readers',
    description:
      'What this process does: `http` serves REST, GraphQL and the pages, `grpc` serves gRPC, `readers` archives and counts. Health and metrics are on the HTTP port in every role. With SQLite one process does everything.',
  }),
  eventTypes: setting(eventTypeList, {
    default: 'purchase:+,return:-,refund:-',
    description:
      'The types that events may have, each with how it enters net totals: `+`, `-`, or no sign for not at all. A shop that records both a return and its refund leaves one of them without a sign.',
  }),
  defaultCurrency: setting(currency, {
    default: 'XXX',
    description: 'The currency of events that name none. `XXX` is "no currency".',
  }),
  maxFuture: setting(duration, {
    default: '24h',
    description: "How far an event's timestamp may lie ahead of the hub's clock.",
  }),
  logLevel: setting(choice(logLevels), {
    default: 'info',
    description: 'The least important message that is still written to the log on standard error.',
  }),
  autoMigrate: setting(onOff, {
    default: 'true',
    description:
      'Bring a store of an older hub up to date at the start. Without it the hub refuses to start on one, and `event-hub migrate apply` does it.',
  }),
  allowWeakDurability: setting(onOff, {
    default: 'false',
    description:
      'Serve on engines whose settings can lose what was answered with success. Without it the hub refuses to start.',
  }),
  allowAnonymous: setting(onOff, {
    default: 'false',
    description:
      'Serve callers without a credential wherever the hub listens, until the first API key is made. Without it they are served on loopback only.',
  }),
  accessGrace: setting(graceDuration, {
    default: '5s',
    description:
      'How long it holds who may come in while the store cannot be read; after that nobody is let in but by token. Longer keeps events coming through a longer outage of MongoDB, and a key that is revoked meanwhile in use.',
  }),
  rateLimit: z.strictObject({
    accountRequests: setting(countLimit, {
      default: '0',
      description:
        'Requests a second of one account, which is an API key or the subject of a token; 0 is no limit. What opens a stream and each operation on a WebSocket is a request. Each process counts for itself: behind a balancer over three hubs an account may have three times as many.',
    }),
    accountEvents: setting(countLimit, {
      default: '0',
      description:
        'Events a second that one account may send, over all protocols; 0 is no limit. Each process counts for itself.',
    }),
    addressRequests: setting(countLimit, {
      default: '0',
      description:
        'Requests a second from one address, whoever sends them; 0 is no limit. They are counted before a credential is looked at, and are all that limits who has none. An IPv6 address counts with its network of 64 bits. Each process counts for itself.',
    }),
    addressEvents: setting(countLimit, {
      default: '0',
      description:
        'Events a second from one address, whoever sends them; 0 is no limit. Each process counts for itself.',
    }),
    burst: setting(burstDuration, {
      default: '2s',
      description:
        'How much of each rate may come at once after a pause: 100 a second and 2s are 200. A batch of more events than that is taken when nothing else was sent for so long, and what follows waits until it is paid for.',
    }),
  }),
  streams: z.strictObject({
    perAccount: setting(countLimit, {
      default: '100',
      description:
        'Streams that one account, or one address where callers have no credential, may have open at once, over all protocols; 0 is no limit. Each process counts for itself.',
    }),
  }),
});

export type ParsedSettings = z.output<typeof settingsSchema>;

interface Declaration {
  readonly description: string;
  readonly secret?: Secret;
  readonly fallbackEnv?: string;
}

/** A setting with a default of its own, written as one would set it. */
function setting<T extends z.ZodType>(
  type: SettingType<T>,
  declaration: Declaration & { readonly default: string },
) {
  const schema = z.preprocess((value) => value ?? declaration.default, type.schema);
  settingMeta.add(schema, meta(type, declaration, declaration.default));
  return schema;
}

/** A setting whose default follows from others. */
function derived<T extends z.ZodType>(
  type: SettingType<T>,
  declaration: Declaration & { readonly defaultText: string },
) {
  const schema = type.schema.optional();
  settingMeta.add(schema, meta(type, declaration, declaration.defaultText));
  return schema;
}

function meta(type: SettingType, declaration: Declaration, defaultText: string): SettingMeta {
  return {
    description: declaration.description,
    expected: type.expected,
    defaultText,
    secret: declaration.secret ?? false,
    fallbackEnv: declaration.fallbackEnv,
    standsAlone: type.standsAlone ?? false,
  };
}
