import type { Event } from '../../event/event.ts';

/**
 * Events cross between threads, and in and out of SQLite, as rows of plain
 * values in this order: an array of primitives is several times cheaper to
 * clone than objects.
 */
export const eventColumns = [
  'id',
  'user_id',
  'event_type',
  'amount',
  'currency',
  'timestamp',
  'received_at',
  'metadata',
] as const;

export type Cell = string | number | bigint | null;

/** Appends an event's cells to `cells`. */
export function packEvent(event: Event, cells: Cell[]): void {
  cells.push(
    event.id,
    event.userId,
    event.eventType,
    event.amount,
    event.currency,
    event.timestamp,
    event.receivedAt,
    event.metadata ?? null,
  );
}

/** Reads the event whose cells begin at `offset`. Amounts may be text, which SQLite gives without loss. */
export function unpackEvent(cells: readonly unknown[], offset: number): Event {
  const metadata = cells[offset + 7];
  return {
    id: cells[offset] as string,
    userId: cells[offset + 1] as string,
    eventType: cells[offset + 2] as string,
    amount: BigInt(cells[offset + 3] as string | bigint),
    currency: cells[offset + 4] as string,
    timestamp: cells[offset + 5] as number,
    receivedAt: cells[offset + 6] as number,
    metadata: metadata === null ? undefined : (metadata as string),
  };
}

/** For SELECT: an amount as text, because a JavaScript number would lose digits. */
export const selectedEventColumns =
  'id, user_id, event_type, CAST(amount AS TEXT), currency, timestamp, received_at, metadata';
