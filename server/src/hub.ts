import type { Action, Caller } from './auth/caller.ts';
import type { Instant } from './base/clock.ts';
import type { HubError } from './base/errors.ts';
import type { LogLevelState } from './base/log-level.ts';
import type { TraceContext } from './base/tracing.ts';
import type { Event, Sign } from './event/event.ts';
import type { FilterRequest, FindRequest, SeriesRequest, WindowRequest } from './event/requests.ts';
import type { Position } from './log/event-log.ts';
import type { FeedBatch } from './readers/live-feed.ts';
import type { StoredEvent } from './store/event-store.ts';

export type { Caller } from './auth/caller.ts';
export { anonymousAccount, nobody } from './auth/caller.ts';
export type { Identify, Presented } from './auth/identify.ts';
export type { Quota } from './auth/rate-limit.ts';
export type { RateLimits } from './auth/rate-limits.ts';
export type {
  FilterRequest,
  FindRequest,
  SeriesRequest,
  WindowRequest,
} from './event/requests.ts';
export type { LogEntry, Position } from './log/event-log.ts';
export type { FeedBatch } from './readers/live-feed.ts';
export type { StoredEvent } from './store/event-store.ts';

/** What became of one input, in the order of the inputs. */
export type PublishResult =
  | { readonly status: 'success' | 'duplicate'; readonly id: string; readonly position: Position }
  /** Refused: `invalid`, `unreadable`, `too_large` or `conflict`. `id` is there when it could be read. */
  | { readonly status: 'rejected'; readonly id: string | undefined; readonly error: HubError }
  /** Nothing wrong with it; another input of the same atomic batch was refused. */
  | { readonly status: 'not_stored'; readonly id: string };

export interface PublishOptions {
  /** One refused input and none is written. */
  readonly atomic?: boolean;
  /** `rest`, `graphql` or `grpc`, for the counters. */
  readonly protocol?: string;
  /** Of the request, for the line of what fails. */
  readonly requestId?: () => string;
  /** Where the request is in a trace. */
  readonly trace?: TraceContext | undefined;
}

export interface SubscribeRequest extends FilterRequest {
  /** `start`, `end` (also when absent) or a position. */
  readonly after?: unknown;
  /** Without it the feed ends after the history, having said `caughtUp`. */
  readonly follow: boolean;
  /** `sse`, `grpc` and so on, for the counters. */
  readonly transport?: string;
  /** Matching entries at the most, when given (1-1000 where a protocol says so). */
  readonly limit?: unknown;
  readonly signal: AbortSignal;
}

/** History to begin with, and where a feed goes on behind it. */
export interface LatestToFollow {
  /** Oldest first, all of them at or before `end`. */
  readonly events: readonly StoredEvent[];
  /** Of the whole feed; undefined while the log is empty. */
  readonly end: Position | undefined;
}

/** A stored event and its place in listings: `cursor` continues after it. */
export interface ListedEvent extends StoredEvent {
  readonly cursor: string;
}

export interface EventPage {
  readonly events: readonly ListedEvent[];
  /** The cursor of the next page; undefined on the last. */
  readonly next: string | undefined;
}

export interface CurrencyTotals {
  readonly currency: string;
  readonly eventCount: number;
  /** In millionths, like every amount of this interface. */
  readonly total: bigint;
  readonly net: bigint;
}

export interface TypeTotals {
  readonly eventType: string;
  readonly sign: Sign;
  readonly currency: string;
  readonly eventCount: number;
  readonly total: bigint;
}

/** Exact totals of the window `[from, to)`. */
export interface Totals {
  readonly from: Instant;
  readonly to: Instant;
  /** `last_N_minutes`, else `custom`. */
  readonly timeWindow: string;
  /** The one asked for or the only one present; undefined when currencies mix or the window is empty. */
  readonly currency: string | undefined;
  readonly eventCount: number;
  /** Undefined when the window mixes currencies and none was asked for: amounts of different currencies are never added. */
  readonly total: bigint | undefined;
  readonly net: bigint | undefined;
  /** Sorted by type and currency; only those present. */
  readonly byType: readonly TypeTotals[];
  /** Sorted by currency; only those present. */
  readonly byCurrency: readonly CurrencyTotals[];
  readonly asOf: { readonly position: Position; readonly receivedAt: Instant } | undefined;
}

export interface SeriesBucket extends Totals {
  /** The group's value when the series is grouped. */
  readonly eventType: string | undefined;
}

export interface Series {
  readonly step: string;
  readonly buckets: readonly SeriesBucket[];
}

export interface PartHealth {
  readonly name: string;
  readonly ok: boolean;
  /** What is well, or what is not. */
  readonly detail: string;
  /** What to do, where it is not well. */
  readonly advice?: string;
}

export interface Health {
  readonly ready: boolean;
  /** What an answer of success means. */
  readonly durability: string;
  readonly parts: readonly PartHealth[];
}

/** The application. Every verb takes the caller first: authorization happens here, not in a protocol. */
export interface Hub {
  /** The configured types in order, with their signs. */
  readonly eventTypes: ReadonlyMap<string, Sign>;
  /**
   * Parses, stamps and appends. Resolves when every stored event is durable.
   * An input that is itself a HubError (an unreadable line) is a rejected item.
   * Rejects with `rate_limited` before it parses anything, with `overloaded`
   * when nothing was stored, and with `unavailable` or `internal`, naming the
   * ids, when that is unknown.
   */
  publish(
    caller: Caller,
    inputs: readonly unknown[],
    options?: PublishOptions,
  ): Promise<readonly PublishResult[]>;
  /**
   * History after `after`, then live, at least once and in log order. Ends when
   * `signal` aborts; rejects with `rate_limited` at once when the caller has
   * all the streams that it may have, later with `slow_reader`, `position_gone`,
   * or `unavailable` when the hub stops, each with the position to resume from.
   */
  subscribe(caller: Caller, request: SubscribeRequest): AsyncIterable<FeedBatch>;
  /** The newest `limit` matching events in log order, oldest first. */
  latest(
    caller: Caller,
    request: FilterRequest & { readonly limit?: unknown },
  ): Promise<readonly StoredEvent[]>;
  /**
   * The same for who then subscribes after `end`: an event that comes meanwhile
   * is behind it, and no other is. Rejects with `unavailable` when the store does
   * not reach the end in time.
   */
  latestToFollow(
    caller: Caller,
    request: FilterRequest & { readonly limit?: unknown },
  ): Promise<LatestToFollow>;
  /** Rejects with `not_found`. */
  get(caller: Caller, id: string, atLeast?: unknown): Promise<StoredEvent>;
  find(caller: Caller, request: FindRequest): Promise<EventPage>;
  aggregate(caller: Caller, request: WindowRequest): Promise<Totals>;
  series(caller: Caller, request: SeriesRequest): Promise<Series>;
  /** For what a protocol serves by itself, such as the metrics page. Throws `forbidden`. */
  authorize(caller: Caller, action: Action): void;
  /** How much this process writes to its log. Throws `forbidden`. */
  logLevel(caller: Caller): LogLevelState;
  /** Changes that, by `{level, for?}`, and says who did. Throws `forbidden` and `invalid`. */
  changeLogLevel(caller: Caller, input: unknown): LogLevelState;
  health(): Promise<Health>;
}

export type { Event };
