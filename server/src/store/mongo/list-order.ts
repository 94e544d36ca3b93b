import type { LogEntry } from '../../log/event-log.ts';

/**
 * The field of a document in whose order events are listed: its position where
 * the log has one order, else a key of its time of receipt and its id.
 */
export type OrderField = 'position' | 'list_key';

/** Of a database, kept with its mark. */
export interface ListOrder {
  /** Known once the database was looked at. */
  field: OrderField;
}

/** What the field holds; sorts bytewise. */
export function listKeyOf({ position, event }: LogEntry, field: OrderField): string {
  if (field === 'position') return position;
  return `${String(event.receivedAt).padStart(15, '0')}|${event.id}`;
}
