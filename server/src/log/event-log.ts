import type { HubError } from '../base/errors.ts';
import type { TraceContext } from '../base/tracing.ts';
import type { Event, NewEvent } from '../event/event.ts';

/**
 * A place in the log, just after one entry. Opaque outside its adapter; sorts
 * bytewise within a shard. Carries the log's identity and a fingerprint of its
 * entry, so that a log that went backwards is noticed instead of skipped over.
 */
export type Position = string & { readonly __brand: 'Position' };

/**
 * How far a reader has come, by shard: a shard without a place is read from its
 * start. One position can stand for all of them, and is what a feed gives out.
 */
export type Places = ReadonlyMap<string, Position>;

export interface LogEntry {
  /** The part of the log that has an order: the whole log, or a partition. */
  readonly shard: string;
  readonly position: Position;
  readonly event: Event;
  /** Where the event came to be, when that was traced and the log still knows. */
  readonly trace?: TraceContext;
}

/** An entry of the log that could not be read, and why. */
export interface UnreadableEntry {
  readonly shard: string;
  readonly position: Position;
  readonly reason: string;
  readonly raw: string;
}

export interface AppendGroup {
  readonly events: readonly NewEvent[];
  /** One conflict and nothing of this group is written. */
  readonly atomic: boolean;
  /** Kept beside each of its entries; it has no part in what an event says. */
  readonly trace?: TraceContext | undefined;
}

/** What became of one event, in the order of its group. */
export type Appended =
  | KnownOutcome
  /** Whether it was stored nobody can say, and why: a retry with the same id is safe. */
  | { readonly status: 'unknown'; readonly reason: HubError };

export type KnownOutcome =
  | { readonly status: 'accepted'; readonly position: Position }
  | { readonly status: 'duplicate'; readonly position: Position }
  | { readonly status: 'conflict' }
  /** Another event of the same atomic group was in conflict. */
  | { readonly status: 'not_stored' };

/** Throws why one of them is not known, for a caller who then does not know of all: a retry tells. */
export function assertKnown(outcomes: readonly Appended[]): readonly KnownOutcome[] {
  return outcomes.map((outcome) => {
    if (outcome.status === 'unknown') throw outcome.reason;
    return outcome;
  });
}

export interface ReadOptions {
  /** Entries after this position, from the oldest, or only those to come. */
  readonly from: Position | 'start' | 'end';
  /** Only this one; all of them, each in its own order, when absent. */
  readonly shard?: string;
  /** Wait for more until `signal` aborts; without it the read ends at the tail. */
  readonly follow: boolean;
  /** Entries in one batch at the most. */
  readonly limit: number;
  readonly signal: AbortSignal;
  /**
   * Told of each entry that cannot be read, before the batch that follows it,
   * which may then be empty. Without it such entries are passed over.
   */
  readonly unreadable?: (entry: UnreadableEntry) => void;
}

export interface LogHealth {
  /** What an answer of success means, for `/readyz` and the start line. */
  readonly durability: string;
}

/** The only thing that a request writes to. */
export interface EventLog {
  /**
   * Resolves when every group is durable: one outcome per event, in order. A
   * rejection with `overloaded` means surely not stored; any other rejection
   * means that some may be stored, and a retry with the same ids is safe. A log
   * of several parts of which only some answered gives `unknown` for the others.
   */
  append(groups: readonly AppendGroup[]): Promise<readonly (readonly Appended[])[]>;
  /**
   * Non-empty batches in log order, each entry once. Pull-based: nothing is
   * read until asked, so a slow reader slows the read. From `start` is from the
   * oldest entry that is still there. Rejects with `position_gone` when `from`
   * is not a place in this log, or lies before what was removed, and with
   * `invalid` when it never was a position.
   */
  read(options: ReadOptions): AsyncIterable<readonly LogEntry[]>;
  /**
   * Removes entries of the shard of `archived`, at or before it, once they are
   * old enough; a log that keeps everything does nothing. Called by the one archive
   * reader of the shard every few seconds: it does nothing most of the time.
   */
  trim(archived: Position): Promise<void>;
  /** The place of the newest entry of the shard that was removed; undefined while the log holds all of them. */
  trimmedTo(shard: string): Promise<Position | undefined>;
  /** The place after the newest entry, in all shards; undefined while the log is empty. */
  end(): Promise<Position | undefined>;
  /** Every part that has an order of its own. */
  shards(): Promise<readonly string[]>;
  /** The places that a position names, without I/O. Throws `invalid` for what never was a position of this log. */
  placesIn(position: Position): Places;
  /**
   * Where a reader in all shards goes on after `position`. An entry's own
   * position names its shard only: the others then begin early enough that
   * nothing is missed. Rejects as `read` does.
   */
  resumeAt(position: Position): Promise<Places>;
  /**
   * The place of one entry that this log has had, as it writes it now; undefined
   * for one of a log that it took the place of, which means nothing here. Without I/O.
   */
  ownPlace(place: Position): Position | undefined;
  /** The one position that stands for these places; undefined when there are none. */
  positionAt(places: Places): Position | undefined;
  /**
   * How many entries the position's shard has had up to it since the log began,
   * without I/O; undefined where the log does not count them. For figures: gaps
   * and what was removed count too.
   */
  countAt(position: Position): number | undefined;
  /** Whether text has the form of this log's positions: a matter of spelling, without I/O. */
  isPosition(text: string): text is Position;
  /** Rejects with `unavailable` when an append would fail now. */
  check(): Promise<LogHealth>;
  /** Ends open reads; safe to call twice. */
  close(): Promise<void>;
}
