import { formatInstant, type Instant } from '../../base/clock.ts';
import { parseTraceContext, type TraceContext } from '../../base/tracing.ts';
import type { Event } from '../../event/event.ts';
import { formatAmount } from '../../event/money.ts';
import { type ParsedEntry, parsedEntry, readBack } from '../../event/read-back.ts';
import { contentHashOf } from '../../event/removed-event.ts';

/** An entry as Redis gives it: its id, then names and values by turns. */
export type RawEntry = readonly [id: string, fields: readonly string[]];

/** The values of an entry, in the order in which the script names them; without metadata the last is empty. */
export function fieldsOf(event: Event): readonly string[] {
  const timestamp = formatInstant(event.timestamp);
  const isReceipt = event.timestamp === event.receivedAt;
  return [
    event.id,
    event.userId,
    event.eventType,
    formatAmount(event.amount),
    timestamp,
    event.currency,
    isReceipt ? timestamp : formatInstant(event.receivedAt),
    event.metadata ?? '',
  ];
}

/**
 * What Redis keeps under an event's id to tell a duplicate from a conflict,
 * as `hasSameContent` does: a hash over the content without the timestamp,
 * `=` where the timestamp is the time of receipt, else `.`, and the timestamp.
 */
export function markOf(event: Event): string {
  const { timestamp, receivedAt } = event;
  return `${contentHashOf(event)}${timestamp === receivedAt ? '=' : '.'}${base36Of(timestamp)}`;
}

/**
 * As `toString(36)` writes an instant of 2000 or later, in two halves that are
 * small integers to V8: that is quicker by far, and every event has one.
 */
function base36Of(instant: Instant): string {
  const upper = Math.floor(instant / LOWER_HALF);
  const lower = instant - upper * LOWER_HALF;
  return `${upper.toString(36)}${lower.toString(36).padStart(LOWER_DIGITS, '0')}`;
}

const LOWER_DIGITS = 5;
const LOWER_HALF = 36 ** LOWER_DIGITS;

/** The event of an entry; anybody may have written it, so that every field is looked at. */
export function parseEntry([, fields]: RawEntry): ParsedEntry {
  return parsedEntry(eventOf(fields), () => fields.join('\n'));
}

/** Where the entry's event came to be, when whoever wrote it says so. */
export function traceOf([, fields]: RawEntry): TraceContext | undefined {
  // The hub's own entries without a trace have no more: nothing is looked for.
  if (fields.length === names.length * 2) return undefined;
  return parseTraceContext(textOf(fields, 'traceparent'), textOf(fields, 'tracestate'));
}

function textOf(fields: readonly string[], wanted: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === wanted) return fields[at + 1];
  return undefined;
}

const names = [
  'event_id',
  'user_id',
  'event_type',
  'amount',
  'timestamp',
  'currency',
  'received_at',
  'metadata',
] as const;

/** The event, or why it is none. */
function eventOf(fields: readonly string[]): Event | string {
  const values = valuesOf(fields);
  if (typeof values === 'string') return values;
  const [id = '', userId = '', eventType = '', amount = '', ...rest] = values;
  const [timestamp = '', currency = '', receivedAt = '', metadata = ''] = rest;
  return readBack({ id, userId, eventType, amount, timestamp, currency, receivedAt, metadata });
}

/** The values in our order; the hub's own entries have it already, and a trace behind them at the most. */
function valuesOf(fields: readonly string[]): readonly string[] | string {
  const isOurs =
    (fields.length === names.length * 2 || fields[names.length * 2] === 'traceparent') &&
    names.every((name, at) => fields[at * 2] === name);
  if (isOurs) return names.map((_, at) => fields[at * 2 + 1] ?? '');
  const found = new Map<string, string>();
  for (let at = 0; at < fields.length; at += 2) found.set(fields[at] ?? '', fields[at + 1] ?? '');
  const missing = names.filter((name) => name !== 'metadata' && !found.has(name));
  if (missing.length > 0) return `the entry lacks ${missing.join(', ')}`;
  return names.map((name) => found.get(name) ?? '');
}
