import type { TokenSettings } from '../auth/tokens/token-settings.ts';
import type { AddressRange } from '../base/address-range.ts';
import type { LogLevel } from '../base/log-level.ts';
import type { Sign } from '../event/event.ts';
import type { TracingSettings } from '../tracing/tracing-settings.ts';

/** The hub's settings after parsing: complete, checked, with absolute paths. */
export interface Settings {
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly trustedProxies: readonly AddressRange[];
    readonly corsOrigins: readonly string[];
  };
  readonly grpc: { readonly host: string; readonly port: number };
  /** A port of its own for Prometheus; undefined where that is asked on the HTTP port alone. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  /** The figures have approximate amounts, by type and currency. */
  readonly metricsAmounts: boolean;
  /** By OpenTelemetry's own variables; undefined where nothing is traced. */
  readonly tracing: TracingSettings | undefined;
  /** `tokens` when an issuer's tokens are taken. */
  readonly auth: { readonly tokens: TokenSettings | undefined };
  /** Absolute paths; undefined without TLS. */
  readonly tls:
    | { readonly cert: string; readonly key: string; readonly clientCa: string | undefined }
    | undefined;
  /** A URL whose scheme picks the adapter: `sqlite:/absolute/path.db`. */
  readonly log: string;
  readonly store: string;
  /** The least age at which entries leave a log that is trimmed. */
  readonly logKeepMs: number;
  /** The age by receipt at which events are removed from the store; undefined keeps everything. */
  readonly retentionMs: number | undefined;
  readonly roles: ReadonlySet<Role>;
  readonly eventTypes: ReadonlyMap<string, Sign>;
  readonly defaultCurrency: string;
  readonly maxFutureMs: number;
  readonly logLevel: LogLevel;
  /** A store of an older hub is brought up to date at the start. */
  readonly autoMigrate: boolean;
  readonly allowWeakDurability: boolean;
  /** Callers without a credential are served wherever the hub listens, as long as no key was ever made. */
  readonly allowAnonymous: boolean;
  /** How long it holds who may come in while the store is away. */
  readonly accessGraceMs: number;
  /** A second; 0 for no limit. Each process counts for itself. */
  readonly rateLimit: {
    readonly accountRequests: number;
    readonly accountEvents: number;
    readonly addressRequests: number;
    readonly addressEvents: number;
    /** Whole seconds. */
    readonly burstMs: number;
  };
  /** Open at once; 0 for no limit. */
  readonly streams: { readonly perAccount: number };
}

export const roles = ['http', 'grpc', 'readers'] as const;
export type Role = (typeof roles)[number];
