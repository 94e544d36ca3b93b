import { HubError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type { Event } from './event.ts';
import { isEventTypeName } from './event-rules.ts';
import { Faults } from './faults.ts';
import { currencyFault, idFault, userIdFault } from './field-rules.ts';
import { fingerprintOf, fingerprintOfText } from './fingerprint.ts';
import { parseMetadata } from './metadata.ts';
import { quickMicros } from './money.ts';
import { parseTimestamp } from './timestamp.ts';

/** An event as a log keeps it, each field as text; `metadata` is empty where there is none. */
export interface WrittenEvent {
  readonly id: string;
  readonly userId: string;
  readonly eventType: string;
  readonly amount: string;
  readonly timestamp: string;
  readonly currency: string;
  readonly receivedAt: string;
  readonly metadata: string;
}

/** What an entry of a log came to. */
export interface ParsedEntry {
  readonly event: Event | undefined;
  /** Why there is no event. */
  readonly reason: string;
  readonly fingerprint: string;
}

/** `raw` gives what stands in for the content of an entry that is no event. */
export function parsedEntry(event: Event | string, raw: () => string): ParsedEntry {
  return typeof event === 'string'
    ? { event: undefined, reason: event, fingerprint: fingerprintOfText(raw()) }
    : { event, reason: '', fingerprint: fingerprintOf(event) };
}

/** The event, or why it is none: anybody may have written to the log, so that every field is looked at. */
export function readBack(written: WrittenEvent): Event | string {
  const { id, userId, eventType, currency, metadata } = written;
  const amount = microsOf(written.amount);
  const timestamp = parseTimestamp(written.timestamp);
  const isReceipt = written.receivedAt === written.timestamp;
  const receivedAt = isReceipt ? timestamp : parseTimestamp(written.receivedAt, 'received_at');
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

/** What `formatAmount` wrote. */
function microsOf(text: string): bigint | undefined {
  if (!amountForm.test(text)) return undefined;
  if (text.length <= limits.amountNumberDigits) {
    const micros = quickMicros(Number(text));
    if (micros !== undefined) return micros;
  }
  const [units = '', decimals = ''] = text.split('.');
  return BigInt(units + decimals.padEnd(limits.amountDecimals, '0'));
}

const amountForm = /^\d{1,12}(?:\.\d{1,6})?$/;

function isMetadata(text: string): boolean {
  try {
    return parseMetadata(parseJson(text), new Faults()) === text;
  } catch (reason) {
    if (reason instanceof HubError) return false;
    throw reason;
  }
}
