import type { Instant } from '../base/clock.ts';
import type { Event } from '../event/event.ts';
import type { Filter } from '../event/filter.ts';
import type { LogEntry, Position } from '../log/event-log.ts';

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

/** An entry that came with a known id and other content: kept, never counted. */
export interface Conflict {
  readonly shard: string;
  readonly position: Position;
  readonly event: Event;
}

/** An entry of the log that could not be read, and why. */
export interface UnreadableEntry {
  readonly shard: string;
  readonly position: Position;
  readonly reason: string;
  readonly raw: string;
}

/** What all processes on one store must agree on. */
export interface Agreement {
  /** As in the setting: `purchase:+,return:-`. */
  readonly eventTypes: string;
  readonly defaultCurrency: string;
}

/** Events and their counts, kept by a reader of the log together with its position. */
export interface EventStore {
  /** How far the store has read, by shard. */
  positions(): Promise<ReadonlyMap<string, Position>>;
  /**
   * One transaction, fenced by a compare-and-set on the shard's position: adds
   * the events whose ids are unknown, counts only those per minute, type and
   * currency, keeps conflicts, moves the position. Entries at or before the
   * position are passed over, so doing it twice changes nothing.
   */
  record(shard: string, entries: readonly LogEntry[]): Promise<Recorded>;
  /** Resolves when `position` is in the store; rejects with the signal's reason when that comes first. */
  reached(position: Position, signal: AbortSignal): Promise<void>;
  get(id: string): Promise<StoredEvent | undefined>;
  find(query: ListQuery): Promise<Page>;
  aggregate(query: AggregateQuery): Promise<Aggregates>;
  /** Counts by the hub's minutes that ended before `end` and were not yet forgotten, oldest first. */
  countedMinutes(end: Instant): Promise<readonly CountedMinute[]>;
  forgetCountedMinutes(end: Instant): Promise<void>;
  /** Compares the minute counts with the events; each minute's two sides are of one snapshot. Empty means equal. */
  verify(): Promise<readonly CountDifference[]>;
  /** Replaces the minute counts by a recomputation; the answer is how many rows changed. */
  rebuild(): Promise<number>;
  conflicts(limit: number): Promise<readonly Conflict[]>;
  unreadableEntries(limit: number): Promise<readonly UnreadableEntry[]>;
  agreement(): Promise<Agreement | undefined>;
  setAgreement(agreement: Agreement): Promise<void>;
  /** Rejects with `unavailable` when a read would fail now. */
  check(): Promise<void>;
  close(): Promise<void>;
}
