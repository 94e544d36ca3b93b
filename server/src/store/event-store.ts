import type { Instant } from '../base/clock.ts';
import type { Event } from '../event/event.ts';
import type { Filter } from '../event/filter.ts';
import type { LogEntry, Places, Position, UnreadableEntry } from '../log/event-log.ts';
import type { KeptAside, KnownEvent } from './kept-aside.ts';
import type { KeyStore } from './key-store.ts';

export type {
  Aside,
  Conflict,
  FrozenMinute,
  KeptAside,
  KnownEvent,
  RemovedRecord,
  TypeCount,
} from './kept-aside.ts';

export interface StoredEvent {
  readonly event: Event;
  readonly position: Position;
  /** The place of this event in listings; opaque outside its adapter. */
  readonly listKey: string;
}

export interface ListQuery {
  readonly filter: Filter;
  /** The window `[from, to)` on the event's own timestamp. */
  readonly from?: Instant;
  readonly to?: Instant;
  /** `desc` is newest first, in log order. */
  readonly order: 'desc' | 'asc';
  /** Events beyond this place, in the direction of `order`. */
  readonly after?: string;
  readonly limit: number;
}

export interface Page {
  readonly events: readonly StoredEvent[];
  /** There are more beyond the last one. */
  readonly hasMore: boolean;
}

export interface AggregateQuery {
  /** The window `[from, to)` on the event's own timestamp, exact to the millisecond. */
  readonly from: Instant;
  readonly to: Instant;
  readonly filter: Filter;
  /** The width of a bucket, on UTC multiples; undefined for one bucket. A whole number of minutes. */
  readonly stepMs?: number;
}

/** Events of one type and currency in one part of the window. */
export interface Bucket {
  /** The UTC multiple of the step; the window's `from` when there is no step. */
  readonly start: Instant;
  readonly eventType: string;
  readonly currency: string;
  readonly eventCount: number;
  /** In millionths. */
  readonly total: bigint;
}

/** The newest event counted in the whole hub. */
export interface AsOf {
  readonly position: Position;
  readonly receivedAt: Instant;
}

/** Taken in one snapshot. Buckets are sorted by start, type and currency; only those with events. */
export interface Aggregates {
  readonly buckets: readonly Bucket[];
  readonly asOf: AsOf | undefined;
}

export interface Recorded {
  readonly added: number;
  readonly duplicates: number;
  readonly conflicts: number;
}

/** A minute in the hub's own time, and what was counted while it ran. */
export interface CountedMinute {
  readonly minute: Instant;
  readonly eventType: string;
  readonly currency: string;
  readonly eventCount: number;
  /** Events whose own minute had already been reported when they were counted. */
  readonly lateCount: number;
  readonly total: bigint;
}

/** A count that differs from a recomputation from the events. */
export interface CountDifference {
  readonly minute: Instant;
  readonly eventType: string;
  readonly currency: string;
  readonly counted: { readonly eventCount: number; readonly total: bigint };
  readonly recomputed: { readonly eventCount: number; readonly total: bigint };
}

/** The right to do what only one process may do at a time; see `acquireLease`. */
export interface Lease {
  readonly name: string;
  readonly holder: string;
  /** Rises with every holder: what an earlier one still tries is told apart by it. */
  readonly epoch: number;
}

/** How the names of leases begin: what each is for, said once for who takes and who looks. */
export const leasePrefixes = {
  /** Shows that a hub runs; each process has one of its own. */
  process: 'process/',
  /** Shows that a process reads; each has one of its own. */
  reader: 'reader/',
  /** The right to archive one shard. */
  archive: 'archive:',
  /** The right to remove what is too old, in all shards. */
  retention: 'retention',
} as const;

export interface RecordOptions {
  /** Kept in the same transaction; they move the position as other entries do. */
  readonly unreadable?: readonly UnreadableEntry[];
  /** Rejects with `conflict`, and nothing is written, unless this lease is still held. */
  readonly lease?: Lease;
  /** Where another log had given a stored event its place, one that comes again gets that of its entry. */
  readonly isOwn?: IsOwn;
}

/** Whether a place is one of the log that is there now, and not of one that it took the place of. */
export type IsOwn = (place: Position) => boolean;

/** How much of a shard is to be removed: its oldest events, up to the first one that must stay. */
export interface RemovalCut {
  /** Events that the hub took before this time. */
  readonly receivedBefore: Instant;
  /** And none behind this place: what the log still holds. No bound when absent. */
  readonly upTo?: Position;
  /** Only a place of the log that is there now becomes the floor, where one was removed. All are when absent. */
  readonly isOwn?: IsOwn;
}

/** A prefix of a shard that retention removes or would remove. */
export interface Removal {
  readonly shard: string;
  readonly events: number;
  /** The times of receipt of its first and its last event. */
  readonly oldest: Instant;
  readonly newest: Instant;
  /** The shard's floor when it is gone: the place of its last event, of the log that is there now where that has lost one. */
  readonly floor: Position;
  /** Minutes that lose an event and were whole before. */
  readonly minutes: number;
}

/** What retention has done so far. */
export interface Retained {
  /** By shard, the place of the newest event that was removed: what lies behind it is still there. */
  readonly floors: ReadonlyMap<string, Position>;
  readonly removedEvents: number;
  /**
   * Minutes that lost an event: their totals stay and late events still add to
   * them, but no recomputation from the events can give them any more.
   */
  readonly frozenMinutes: number;
}

/** What all processes on one store must agree on. */
export interface Agreement {
  /** As in the setting: `purchase:+,return:-`. */
  readonly eventTypes: string;
  readonly defaultCurrency: string;
}

/** Events and their counts, kept by a reader of the log together with its position. */
export interface EventStore extends KeptAside {
  readonly keys: KeyStore;
  /** How far the store has read, by shard. */
  positions(): Promise<ReadonlyMap<string, Position>>;
  /**
   * One transaction, fenced by a compare-and-set on the shard's position: adds
   * the events whose ids are unknown, counts only those per minute, type and
   * currency, keeps conflicts, moves the position. Entries at or before the
   * position are passed over, so doing it twice changes nothing.
   */
  record(shard: string, entries: readonly LogEntry[], options?: RecordOptions): Promise<Recorded>;
  /**
   * Forgets how far the shard was read: the next entries are those after `to`,
   * or the log's first. For a log that was replaced; what is stored stays.
   */
  resetPosition(shard: string, to: Position | undefined): Promise<void>;
  /**
   * The lease `name` for `ttlMs` on the store's clock, taken or renewed;
   * undefined while another holder has it.
   */
  acquireLease(name: string, holder: string, ttlMs: number): Promise<Lease | undefined>;
  /** Gives it back before its time, so that another can go on at once; nothing when it is not held any more. */
  releaseLease(lease: Lease): Promise<void>;
  /** The names that begin so of the leases that are held now. */
  leaseNames(prefix: string): Promise<readonly string[]>;
  /**
   * Resolves when the store has read up to all of these places; rejects with the
   * signal's reason when that comes first. A single place, of a log that knows ids
   * itself, is that of an event: rejects with `position_gone` when the store has
   * passed it and does not hold it. What retention removed was counted, and is reached.
   */
  reached(places: Places, signal: AbortSignal): Promise<void>;
  get(id: string): Promise<StoredEvent | undefined>;
  /**
   * Those of the ids that the store knows, removed ones too, in one look. Sends wait for
   * it: a store that does not answer rejects with `unavailable` within a moment.
   */
  getMany(ids: readonly string[]): Promise<ReadonlyMap<string, KnownEvent>>;
  /**
   * Entries of one shard after a position in log order: what a log has trimmed.
   * Rejects with `position_gone` when the store does not hold the event at `after`;
   * for a place before the shard's floor it names the floor, from which on all is there.
   * Neither entries nor a floor of another log than the one that `isOwn` knows have a part in it.
   */
  entriesAfter(
    shard: string,
    after: Position | 'start',
    limit: number,
    isOwn?: IsOwn,
  ): Promise<readonly LogEntry[]>;
  find(query: ListQuery): Promise<Page>;
  /**
   * Rejects with `invalid`, naming the next whole minute, for what only events say of a
   * frozen minute: an edge inside it, or a filter by user over it.
   */
  aggregate(query: AggregateQuery): Promise<Aggregates>;
  /** Counts by the hub's minutes that ended before `end` and were not yet forgotten, oldest first. */
  countedMinutes(end: Instant): Promise<readonly CountedMinute[]>;
  forgetCountedMinutes(end: Instant): Promise<void>;
  /**
   * Compares the minute counts with the events; each minute's two sides are of one
   * snapshot. Empty means equal. Frozen minutes are passed over.
   */
  verify(): Promise<readonly CountDifference[]>;
  /** Replaces the minute counts by a recomputation, but those of frozen minutes; the answer is how many rows changed. */
  rebuild(): Promise<number>;
  /** What `removeOldest` would remove of the shard altogether; undefined when nothing. */
  previewRemoval(shard: string, cut: RemovalCut): Promise<Removal | undefined>;
  /**
   * Removes up to `limit` of the shard's oldest events within the cut, in one transaction with
   * the records that stay of them, the minutes that are frozen by it, and the shard's new floor.
   * Always a prefix, and never the shard's newest event. Undefined when there is nothing (more)
   * to remove. Rejects with `conflict` unless the lease is still held.
   */
  removeOldest(
    shard: string,
    cut: RemovalCut,
    limit: number,
    lease?: Lease,
  ): Promise<Removal | undefined>;
  retained(): Promise<Retained>;
  agreement(): Promise<Agreement | undefined>;
  /** What is kept; where nothing is yet, `wanted` from now on. Of several that come first at once, one wins. */
  agree(wanted: Agreement): Promise<Agreement>;
  setAgreement(agreement: Agreement): Promise<void>;
  /** What it takes on its disk. */
  sizeBytes(): Promise<number>;
  /** Rejects with `unavailable` when a read would fail now. */
  check(): Promise<void>;
  close(): Promise<void>;
}
