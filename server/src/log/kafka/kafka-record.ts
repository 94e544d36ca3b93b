import type { KafkaRecord } from '@platformatic/kafka';
import { canonicalJson, isJsonArray, type Json, parseJson } from '../../base/json.ts';
import { parseTraceContext, type TraceContext } from '../../base/tracing.ts';
import type { Event } from '../../event/event.ts';
import { eventToLogJson } from '../../event/event-json.ts';
import { type ParsedEntry, parsedEntry, readBack } from '../../event/read-back.ts';

/** A record on its way to its partition. */
export interface OutgoingRecord {
  readonly key: string;
  readonly value: string;
  /** Of few names, which are ASCII and shorter than 64 characters. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly timestampMs: number;
}

const eventId = 'event_id';
const traceparent = 'traceparent';
const tracestate = 'tracestate';

export function toRecord(event: Event, trace?: TraceContext): OutgoingRecord {
  const headers: [string, string][] = [
    ['content-type', 'application/json'],
    [eventId, event.id],
    ['event_type', event.eventType],
  ];
  if (trace !== undefined) {
    headers.push([traceparent, trace.traceparent]);
    if (trace.tracestate !== undefined) headers.push([tracestate, trace.tracestate]);
  }
  return {
    key: event.userId,
    value: eventToLogJson(event),
    headers,
    timestampMs: event.receivedAt,
  };
}

/** Where the record's event came to be, when whoever wrote it says so. */
export function traceOf({ headers }: Pick<KafkaRecord, 'headers'>): TraceContext | undefined {
  // The hub's own records without a trace have three: nothing more is looked at.
  if (headers.length <= 3) return undefined;
  return parseTraceContext(headerText(headers, traceparent), headerText(headers, tracestate));
}

function headerText(headers: KafkaRecord['headers'], wanted: string): string | undefined {
  return headers.find(([name]) => name?.toString() === wanted)?.[1]?.toString('utf8');
}

/** The event of a record; anybody may have written it, so that every field is looked at. */
export function parseRecord({ value }: Pick<KafkaRecord, 'value'>): ParsedEntry {
  const text = value?.toString('utf8') ?? '';
  return parsedEntry(eventIn(text), () => text);
}

/** Whether a hub wrote it: what the headers of every entry show. */
export function isOfHub({ headers }: Pick<KafkaRecord, 'headers'>): boolean {
  return headers.some(([name]) => name?.toString() === eventId);
}

const names = [
  'id',
  'user_id',
  'event_type',
  'amount',
  'timestamp',
  'currency',
  'received_at',
] as const;

function eventIn(text: string): Event | string {
  let value: Json;
  try {
    value = parseJson(text);
  } catch {
    return 'the value is not JSON';
  }
  if (typeof value !== 'object' || value === null || isJsonArray(value)) {
    return 'the value is no JSON object';
  }
  const fields = value as Readonly<Record<string, Json>>;
  const wrong = names.filter((name) => typeof fields[name] !== 'string');
  if (wrong.length > 0) return `the value lacks ${wrong.join(', ')} as text`;
  const [id, userId, type, amount, timestamp, currency, receivedAt] = names.map(
    (name) => fields[name] as string,
  ) as [string, string, string, string, string, string, string];
  const metadata = fields.metadata === undefined ? '' : canonicalJson(fields.metadata);
  return readBack({
    id,
    userId,
    eventType: type,
    amount,
    timestamp,
    currency,
    receivedAt,
    metadata,
  });
}
