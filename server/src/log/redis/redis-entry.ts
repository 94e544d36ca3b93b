import { hash } from 'node:crypto';
import { formatInstant } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import type { Event } from '../../event/event.ts';
import { isEventTypeName } from '../../event/event-rules.ts';
import { Faults } from '../../event/faults.ts';
import { currencyFault, idFault, userIdFault } from '../../event/field-rules.ts';
import { fingerprintOf, fingerprintOfText } from '../../event/fingerprint.ts';
import { parseMetadata } from '../../event/metadata.ts';
import { formatAmount } from '../../event/money.ts';
import { parseTimestamp } from '../../event/timestamp.ts';

/** An entry as Redis gives it: its id, then names and values by turns. */
export type RawEntry = readonly [id: string, fields: readonly string[]];

export interface ParsedEntry {
  readonly event: Event | undefined;
  /** Why there is no event. */
  readonly reason: string;
  readonly fingerprint: string;
}

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
 * as `hasSameContent` does: 22 characters of a hash over the content without
 * the timestamp, `=` where the timestamp is the time of receipt, else `.`, and the timestamp.
 */
export function markOf(event: Event): string {
  const { userId, eventType, amount, currency, metadata, timestamp, receivedAt } = event;
  const content = JSON.stringify([userId, eventType, String(amount), currency, metadata ?? null]);
  const digest = hash('sha256', content, 'base64url').slice(0, 22);
  return `${digest}${timestamp === receivedAt ? '=' : '.'}${timestamp.toString(36)}`;
}

/** The event of an entry; anybody may have written it, so that every field is looked at. */
export function parseEntry([, fields]: RawEntry): ParsedEntry {
  const event = eventOf(fields);
  return typeof event === 'string'
    ? { event: undefined, reason: event, fingerprint: fingerprintOfText(fields.join('\n')) }
    : { event, reason: '', fingerprint: fingerprintOf(event) };
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
  const [id = '', userId = '', eventType = '', amountText = '', ...rest] = values;
  const [timestampText = '', currency = '', receivedText = '', metadata = ''] = rest;
  const amount = microsOf(amountText);
  const timestamp = parseTimestamp(timestampText);
  const receivedAt = parseTimestamp(receivedText, 'received_at');
  if (amount === undefined) return 'amount is no decimal of a hub';
  if (typeof timestamp !== 'number') return timestamp.detail;
  if (typeof receivedAt !== 'number') return receivedAt.detail;
  const fault = idFault(id, 'event_id') ?? userIdFault(userId) ?? currencyFault(currency);
  if (fault !== undefined) return fault.detail;
  if (!isEventTypeName(eventType)) return 'event_type is no name of a type';
  if (metadata !== '' && !isMetadata(metadata)) return 'metadata is not as a hub writes it';
  return {
    id,
    userId,
    eventType,
    amount,
    currency,
    timestamp,
    receivedAt,
    metadata: metadata === '' ? undefined : metadata,
  };
}

/** The values in our order; the hub's own entries have it already. */
function valuesOf(fields: readonly string[]): readonly string[] | string {
  const isOurs =
    fields.length === names.length * 2 && names.every((name, at) => fields[at * 2] === name);
  if (isOurs) return names.map((_, at) => fields[at * 2 + 1] ?? '');
  const found = new Map<string, string>();
  for (let at = 0; at < fields.length; at += 2) found.set(fields[at] ?? '', fields[at + 1] ?? '');
  const missing = names.filter((name) => name !== 'metadata' && !found.has(name));
  if (missing.length > 0) return `the entry lacks ${missing.join(', ')}`;
  return names.map((name) => found.get(name) ?? '');
}

/** What `formatAmount` wrote. */
function microsOf(text: string): bigint | undefined {
  const match = /^(\d{1,12})(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null) return undefined;
  const [, units = '', decimals = ''] = match;
  return BigInt(units + decimals.padEnd(limits.amountDecimals, '0'));
}

function isMetadata(text: string): boolean {
  try {
    return parseMetadata(parseJson(text), new Faults()) === text;
  } catch (reason) {
    if (reason instanceof HubError) return false;
    throw reason;
  }
}
