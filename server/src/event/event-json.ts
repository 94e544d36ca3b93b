import { formatInstant } from '../base/clock.ts';
import { quoteJson } from '../base/json.ts';
import type { Event } from './event.ts';
import { formatAmount } from './money.ts';

/** A stored event as REST, the stream and Kafka give it out; `metadata` is left out when absent. */
export interface EventObject {
  readonly id: string;
  readonly user_id: string;
  readonly event_type: string;
  /** Exact decimal text: `150.75`. */
  readonly amount: string;
  readonly currency: string;
  /** `YYYY-MM-DDTHH:MM:SS.sssZ`, like `received_at`. */
  readonly timestamp: string;
  readonly metadata?: { readonly [key: string]: unknown };
  readonly received_at: string;
  readonly position: string;
}

/** The one JSON text of a stored event. */
export function eventToJson(event: Event, position: string): string {
  return `${withoutEnd(event)},"position":${quoteJson(position)}}`;
}

/** The same before it has a position, as a log keeps it. */
export function eventToLogJson(event: Event): string {
  return `${withoutEnd(event)}}`;
}

/** Only the user's id can hold what JSON escapes: the other fields' rules leave no such character. */
function withoutEnd(event: Event): string {
  const timestamp = formatInstant(event.timestamp);
  const receivedAt =
    event.receivedAt === event.timestamp ? timestamp : formatInstant(event.receivedAt);
  const metadata = event.metadata === undefined ? '' : `,"metadata":${event.metadata}`;
  return `{"id":"${event.id}","user_id":${quoteJson(event.userId)},"event_type":"${event.eventType}","amount":"${formatAmount(event.amount)}","currency":"${event.currency}","timestamp":"${timestamp}"${metadata},"received_at":"${receivedAt}"`;
}

/** The same as values. */
export function eventToObject(event: Event, position: string): EventObject {
  return {
    id: event.id,
    user_id: event.userId,
    event_type: event.eventType,
    amount: formatAmount(event.amount),
    currency: event.currency,
    timestamp: formatInstant(event.timestamp),
    ...(event.metadata === undefined ? {} : { metadata: JSON.parse(event.metadata) }),
    received_at: formatInstant(event.receivedAt),
    position,
  };
}
