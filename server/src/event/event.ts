import type { Instant } from '../base/clock.ts';

/** A business event as the hub keeps it. */
export interface Event {
  /** The identity of the event for ever. */
  readonly id: string;
  readonly userId: string;
  readonly eventType: string;
  /** In millionths of the currency's unit: 150.75 is 150_750_000n. Never negative. */
  readonly amount: bigint;
  /** ISO 4217, upper case; `XXX` is "no currency". */
  readonly currency: string;
  /** When it happened, as the sender says; exactly `receivedAt` when the sender does not say. */
  readonly timestamp: Instant;
  /** When the hub took it. */
  readonly receivedAt: Instant;
  /** A JSON object as compact text with its keys sorted at every level, or undefined. */
  readonly metadata: string | undefined;
}

/** An event on its way into the log. */
export interface NewEvent extends Event {
  /** The sender gave no id, so nobody can have sent this one before. */
  readonly idMadeByHub: boolean;
}

/** How a type enters net totals: added, taken away, or left out. */
export type Sign = '+' | '-' | '';

/** What a hub takes for valid; the same in every process on one store. */
export interface EventRules {
  /** The types and their signs, in the configured order. */
  readonly eventTypes: ReadonlyMap<string, Sign>;
  readonly defaultCurrency: string;
  /** How far a timestamp may lie ahead of the hub's clock. */
  readonly maxFutureMs: number;
}

/**
 * Whether two events with one id say the same. The timestamp is left out when
 * either side's equals its own time of receipt, so that a retry without a
 * timestamp equals its first try.
 */
export function hasSameContent(a: Event, b: Event): boolean {
  return (
    a.userId === b.userId &&
    a.eventType === b.eventType &&
    a.amount === b.amount &&
    a.currency === b.currency &&
    a.metadata === b.metadata &&
    isSameTime(a, b)
  );
}

type Times = Pick<Event, 'timestamp' | 'receivedAt'>;

/** Whether two sends of one id may both mean the same time; see `hasSameContent`. */
export function isSameTime(a: Times, b: Times): boolean {
  return (
    a.timestamp === b.timestamp || a.timestamp === a.receivedAt || b.timestamp === b.receivedAt
  );
}
