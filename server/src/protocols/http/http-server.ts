import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import type { TraceContext } from '../../base/tracing.ts';

/** One request on its way to its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** For an answer that must not wait for its reader for ever. */
  readonly clock: Clock;
  /** Without the query. */
  readonly path: string;
  /** The raw query without the question mark; empty when there is none. */
  readonly query: string;
  /** What the last `*` or `:name` segment of the route's path matched, percent-decoded. */
  readonly parameter: string;
  /** Lets go of the memory of the body; the server calls it when the handler is done. */
  release: (() => void) | undefined;
  /** Where the request is in a trace; undefined where it is in none. */
  trace: TraceContext | undefined;
}

/** HEAD follows GET. */
export type Method = 'GET' | 'POST' | 'PUT';

export type Handler = (exchange: Exchange) => void | Promise<void>;

/** A route's path is literal, or ends in one parameter segment: `/events/:id`, or in `/*` for the rest of the path. */
export interface HttpServer {
  /**
   * Several methods of one path are several calls; another method is answered
   * 405 with `Allow`, HEAD follows GET. What a handler throws becomes a problem
   * document through the error table.
   */
  route(method: Method, path: string, handler: Handler): void;
  /** WebSocket upgrades of one path. */
  upgrade(
    path: string,
    handler: (request: IncomingMessage, socket: Duplex, head: Buffer) => void,
  ): void;
  /** Whether `http.corsOrigins` lets pages of this origin ask. */
  allowsOrigin(origin: string): boolean;
  /** Who asks: see `client-address.ts`. */
  clientAddress(request: IncomingMessage): string;
  listen(): Promise<{ readonly host: string; readonly port: number }>;
  /** Accepts nothing new and closes idle connections; answers under way end. Safe to call twice. */
  close(): Promise<void>;
}
