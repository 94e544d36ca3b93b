import type { Instant } from '../base/clock.ts';
import type { Event } from '../event/event.ts';
import type { RemovedEvent } from '../event/removed-event.ts';
import type { Position, UnreadableEntry } from '../log/event-log.ts';

/** What is known under an id: the event, or what stays of it after retention. */
export interface KnownEvent {
  readonly event: Event | RemovedEvent;
  /** Of its first. */
  readonly position: Position;
}

/** An entry that came with a known id and other content: kept, never counted. */
export interface Conflict {
  readonly shard: string;
  readonly position: Position;
  readonly event: Event;
}

/** What a store keeps beside its events, so that nothing is lost. */
export interface Aside {
  readonly conflicts: readonly Conflict[];
  readonly unreadable: readonly UnreadableEntry[];
}

/** What stays of a removed event, and where it was. */
export interface RemovedRecord extends RemovedEvent {
  readonly shard: string;
  readonly position: Position;
}

/** Events of one type and currency. */
export interface TypeCount {
  readonly eventType: string;
  readonly currency: string;
  readonly eventCount: number;
  /** In millionths. */
  readonly total: bigint;
}

/** A minute that lost an event, and what its counts have beyond the events that are left. */
export interface FrozenMinute {
  readonly minute: Instant;
  readonly removed: readonly TypeCount[];
}

/** What a store keeps beside its events: its own, and what it took over of another hub's. */
export interface KeptAside {
  /**
   * Keeps what another hub kept beside its events, under the places that it
   * has there: known ones stay, no count and no position changes. In one transaction.
   */
  keepAside(aside: Aside): Promise<void>;
  /** What stays of removed events, in the order of their ids, after one of these. */
  removedEvents(after: string | undefined, limit: number): Promise<readonly RemovedRecord[]>;
  /** After one of them, oldest first; each minute's two sides are of one snapshot. */
  frozenMinutes(after: Instant | undefined, limit: number): Promise<readonly FrozenMinute[]>;
  /**
   * Keeps what stays of another hub's removed events: a repeat of one is a duplicate from now on.
   * The answer is what this store knows otherwise under their ids: its own events, and what its own
   * retention left. Those stay as they are. In one transaction; doing it twice changes nothing.
   */
  keepRemoved(records: readonly RemovedRecord[]): Promise<ReadonlyMap<string, KnownEvent>>;
  /**
   * Freezes the minutes, and counts in each what is given of another hub's removed events, in place
   * of what was given before. In one transaction; doing it twice changes nothing.
   */
  keepFrozen(minutes: readonly FrozenMinute[]): Promise<void>;
  conflicts(limit: number): Promise<readonly Conflict[]>;
  unreadableEntries(limit: number): Promise<readonly UnreadableEntry[]>;
}
