/**
 * One way to speak to a hub over any of its protocols. Every driver is a plain
 * client of its wire and gives the same neutral shapes, in REST's names, so
 * that one test holds for all.
 */
export interface ProtocolDriver {
  readonly name: string;
  /** Rejects with `Refused`, like every call here. */
  send(event: EventFields): Promise<Stored>;
  sendBatch(events: readonly EventFields[], options?: { atomic?: boolean }): Promise<BatchAnswer>;
  get(id: string, atLeast?: string): Promise<EventSeen>;
  list(query?: ListQuery): Promise<PageSeen>;
  /** The newest ones, newest first. */
  latest(query?: LatestQuery): Promise<readonly EventSeen[]>;
  aggregate(query?: WindowQuery): Promise<TotalsSeen>;
  /** Absent where the protocol has none. */
  readonly series?: (query: SeriesQuery) => Promise<SeriesSeen>;
  /** Ends when `signal` aborts or the loop over it is left; rejects with why the hub ended it. */
  subscribe(request: FeedRequest): AsyncIterable<FeedItem>;
  /** Whether a feed says where its history ends. */
  readonly saysCaughtUp: boolean;
  /** Whether a feed can end after its history. */
  readonly pulls: boolean;
  /** Whether a feed can begin with the newest events. */
  readonly givesLatest: boolean;
  close(): Promise<void>;
}

/** What a client shows of a credential, under the names of headers. */
export type Shown = Readonly<Record<string, string>>;

/** An event as a client writes it down, wrong ones included. */
export type EventFields = Readonly<Record<string, unknown>>;

export interface Stored {
  readonly status: string;
  readonly id: string;
  readonly position: string;
}

export interface BatchAnswer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly results: readonly BatchItemSeen[];
}

export interface BatchItemSeen {
  readonly index: number;
  readonly status: string;
  readonly id: string | undefined;
  readonly position: string | undefined;
  readonly error: Failure | undefined;
}

export interface EventSeen {
  readonly id: string;
  readonly user_id: string;
  readonly event_type: string;
  readonly amount: string;
  readonly currency: string;
  readonly timestamp: string;
  readonly metadata: unknown;
  readonly received_at: string;
  readonly position: string;
}

export interface FilterQuery {
  readonly user_id?: readonly string[];
  readonly event_type?: readonly string[];
  readonly currency?: string;
}

export interface LatestQuery extends Omit<FilterQuery, 'currency'> {
  readonly limit?: number;
}

export interface ListQuery extends FilterQuery {
  readonly limit?: number;
  readonly cursor?: string;
  readonly from?: string;
  readonly to?: string;
  readonly order?: 'asc' | 'desc';
  readonly at_least?: string;
}

export interface PageSeen {
  readonly events: readonly EventSeen[];
  readonly next: string | undefined;
}

export interface WindowQuery {
  readonly minutes?: number;
  readonly from?: string;
  readonly to?: string;
  readonly currency?: string;
  readonly event_type?: string;
  readonly user_id?: string;
  readonly at_least?: string;
}

export interface SeriesQuery extends WindowQuery {
  readonly step?: string;
  readonly group_by?: string;
}

export interface TotalsSeen {
  readonly from: string;
  readonly to: string;
  readonly time_window: string;
  readonly currency: string | null;
  readonly event_count: number;
  readonly total_amount: string | null;
  readonly net_amount: string | null;
  readonly by_type: readonly unknown[];
  readonly by_currency: readonly unknown[];
  readonly as_of: { readonly position: string; readonly received_at: string } | null;
}

export interface SeriesSeen {
  readonly step: string;
  readonly buckets: readonly (TotalsSeen & { readonly event_type: string | undefined })[];
}

export interface FeedRequest {
  readonly after?: string;
  /** In place of `after`: the newest so many, oldest first, and then what comes. */
  readonly latest?: number;
  readonly filter?: FilterQuery;
  /** True when absent. */
  readonly follow?: boolean;
  readonly signal: AbortSignal;
}

export type FeedItem =
  | { readonly kind: 'event'; readonly event: EventSeen; readonly position: string }
  | { readonly kind: 'caught-up'; readonly position: string | undefined };

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly errors: readonly { readonly pointer: string; readonly code: string }[];
}

/** The hub's answer of failure, alike over every protocol. */
export class Refused extends Error {
  readonly failure: Failure;
  /** Where a feed can be resumed. */
  readonly position: string | undefined;

  constructor(failure: Failure, position?: string) {
    super(`${failure.code}: ${failure.message}`);
    this.name = 'Refused';
    this.failure = failure;
    this.position = position;
  }
}

/** What a call that must fail failed with. */
export async function failureOf(call: Promise<unknown>): Promise<Failure> {
  try {
    await call;
  } catch (reason) {
    if (reason instanceof Refused) return reason.failure;
    throw reason;
  }
  throw new Error('the hub took what it must refuse');
}

/**
 * A place in an input as every protocol can say it: gRPC writes `metadata.a.b`
 * for `/metadata/a/b`, and has no escapes for a key with a point or a slash.
 */
export function neutralPointer(pointer: string): string {
  return pointer.replaceAll('~1', '/').replaceAll('~0', '~').replaceAll('.', '/');
}

/** The double beside an exact amount must be its nearest one. */
export function exactBeside(double: unknown, exact: unknown): string | null {
  if (exact === null || exact === undefined) {
    if (double !== null && double !== undefined) throw new Error(`only a double: ${double}`);
    return null;
  }
  if (typeof exact !== 'string' || Number(exact) !== double) {
    throw new Error(`the double ${double} is not the nearest one of ${exact}`);
  }
  return exact;
}
