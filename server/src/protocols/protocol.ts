import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Telemetry } from '../base/telemetry.ts';
import type { TlsSource } from '../base/tls-source.ts';
import type { Tracing } from '../base/tracing.ts';
import type { Hub, Identify, RateLimits } from '../hub.ts';
import type { HttpServer } from './http/http-server.ts';

/** What main.ts gives to every protocol. */
export interface ProtocolHost {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  /** Undefined where nothing is traced. */
  readonly tracing: Tracing | undefined;
  /** Whether a caller without a credential may call the hub by any name; see `refuseForeignHost`. */
  readonly anyHostName: boolean;
  /** Counts the request, where requests are limited. */
  readonly identify: Identify;
  /** For what comes without being identified again; undefined where nothing is limited. */
  readonly rateLimits: RateLimits | undefined;
  /** The HTTP server that REST, GraphQL and the pages share; a protocol adds its routes before it listens. */
  readonly http: HttpServer;
  readonly grpc: {
    readonly host: string;
    readonly port: number;
    readonly connectionsMax: number;
  };
  /** Undefined where metrics have no port of their own. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  /** For a protocol with a port of its own; undefined without TLS. */
  readonly tls: TlsSource | undefined;
  readonly version: string;
  /** Aborted when the hub begins to stop: live streams then end with a resumable position. */
  readonly stopping: AbortSignal;
}

export interface RunningProtocol {
  /** `host:port`, where it has a port of its own. */
  readonly address?: string;
  /** Takes nothing new, finishes what is under way. Safe to call twice. */
  stop(): Promise<void>;
}

export interface Protocol {
  readonly name: string;
  /** The role of the process that serves it; `any` is served in all. */
  readonly role: 'http' | 'grpc' | 'any';
  start(host: ProtocolHost): Promise<RunningProtocol>;
}
