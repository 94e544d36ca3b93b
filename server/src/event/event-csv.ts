import { formatInstant } from '../base/clock.ts';
import type { Event } from './event.ts';
import { formatAmount } from './money.ts';

/**
 * Stored events as CSV by RFC 4180: comma, double quotes, CRLF after every
 * line, UTF-8 without a byte order mark.
 *
 * A user_id is free text, and a spreadsheet may take one that begins with
 * `= + - @` for a formula. The usual guard, an apostrophe in front, would change
 * the value: `event-hub send` reads this file back, and a user_id is compared byte
 * for byte, so the data stays as it is. It is always quoted, the other columns
 * cannot begin with those characters, and docs tell people to import
 * the columns as text.
 */
export const csvHeader =
  'id,user_id,event_type,amount,currency,timestamp,metadata,received_at,position\r\n';

/** One line with its CRLF; metadata as JSON text, empty when absent. */
export function eventToCsv(event: Event, position: string): string {
  const metadata = event.metadata === undefined ? '' : quoted(event.metadata);
  const cells = [
    event.id,
    quoted(event.userId),
    event.eventType,
    formatAmount(event.amount),
    event.currency,
    formatInstant(event.timestamp),
    metadata,
    formatInstant(event.receivedAt),
    quoted(position),
  ];
  return `${cells.join(',')}\r\n`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
