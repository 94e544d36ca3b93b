import type { Instant } from '../base/clock.ts';
import { formatInstant } from '../base/clock.ts';
import { invalid } from '../base/errors.ts';
import { InexactNumber, jsonPointer } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { nearestName } from '../base/nearest-name.ts';
import type { EventRules, NewEvent } from './event.ts';
import { expectedObject, expectedString, type Fault, Faults, required, shown } from './faults.ts';
import { currencyFault, eventTypeFault, idFault, userIdFault } from './field-rules.ts';
import { parseMetadata } from './metadata.ts';
import { parseAmount } from './money.ts';
import { parseTimestamp } from './timestamp.ts';

export interface ParseContext {
  readonly rules: EventRules;
  /** When the hub took the input; also the timestamp of an event that has none. */
  readonly receivedAt: Instant;
  /** Makes the id of an event that has none. */
  newId(): string;
}

/**
 * The one validation of events, whichever protocol they came by. `input` has
 * the API's field names and plain values; null and undefined mean absent.
 * Throws `invalid`, listing every fault.
 */
export function parseEvent(input: unknown, context: ParseContext): NewEvent {
  if (!isFields(input)) {
    const fault = expectedObject('an event', input);
    throw invalid('', fault.code, fault.detail);
  }
  const faults = new Faults();
  for (const name of Object.keys(input)) {
    if (fieldNames.has(name) || input[name] === undefined) continue;
    faults.add(jsonPointer([name]), () => nameFault(name));
  }
  const { rules, receivedAt } = context;
  const id = parseId(input.id, faults);
  const userId = parseUserId(input.user_id, faults);
  const eventType = parseEventType(input.event_type, rules, faults);
  const amount = parseAmountField(input.amount, faults);
  const currency = parseCurrency(input.currency, rules, faults);
  const timestamp = parseTimestampField(input.timestamp, context, faults);
  const metadata = isAbsent(input.metadata) ? undefined : parseMetadata(input.metadata, faults);
  faults.check();
  return {
    id: id ?? context.newId(),
    userId,
    eventType,
    amount,
    currency,
    timestamp,
    receivedAt,
    metadata,
    idMadeByHub: id === undefined,
  };
}

/** The id of an input that may be invalid otherwise, for the answer that refuses it. */
export function readEventId(input: unknown): string | undefined {
  if (!isFields(input) || typeof input.id !== 'string') return undefined;
  return idFault(input.id) === undefined ? input.id : undefined;
}

interface Fields {
  readonly [name: string]: unknown;
  readonly id?: unknown;
  readonly user_id?: unknown;
  readonly event_type?: unknown;
  readonly amount?: unknown;
  readonly currency?: unknown;
  readonly timestamp?: unknown;
  readonly metadata?: unknown;
}

const fieldNames: ReadonlySet<string> = new Set([
  'id',
  'user_id',
  'event_type',
  'amount',
  'currency',
  'timestamp',
  'metadata',
]);
const readOnlyNames: ReadonlySet<string> = new Set(['received_at', 'position']);

function isFields(input: unknown): input is Fields {
  return (
    typeof input === 'object' &&
    input !== null &&
    !Array.isArray(input) &&
    !(input instanceof InexactNumber)
  );
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** A name that the contract does not know is refused: `amout` must not vanish. */
function nameFault(name: string): Fault {
  if (readOnlyNames.has(name)) {
    return { code: 'read_only_field', detail: `${name} is set by the hub; remove it` };
  }
  const meant = nearestName(name, fieldNames);
  const advice = meant === undefined ? 'put free data under metadata' : `did you mean ${meant}?`;
  return {
    code: 'unknown_field',
    detail: `${shown(name)} is not a field of an event: ${advice}`,
  };
}

function parseId(value: unknown, faults: Faults): string | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'string') {
    faults.add('/id', expectedString('id', value));
    return undefined;
  }
  const fault = idFault(value);
  if (fault !== undefined) faults.add('/id', fault);
  return ownText(value);
}

function parseUserId(value: unknown, faults: Faults): string {
  const fault = textFault('user_id', value) ?? userIdFault(value as string);
  if (fault === undefined) return ownText(value as string);
  faults.add('/user_id', fault);
  return '';
}

function parseEventType(value: unknown, rules: EventRules, faults: Faults): string {
  const fault = textFault('event_type', value) ?? eventTypeFault(value as string, rules.eventTypes);
  if (fault === undefined) return ownText(value as string);
  faults.add('/event_type', fault);
  return '';
}

function parseAmountField(value: unknown, faults: Faults): bigint {
  const amount = isAbsent(value) ? required('amount') : parseAmount(value);
  if (typeof amount === 'bigint') return amount;
  faults.add('/amount', amount);
  return 0n;
}

function parseCurrency(value: unknown, rules: EventRules, faults: Faults): string {
  if (isAbsent(value)) return rules.defaultCurrency;
  const fault = textFault('currency', value) ?? currencyFault(value as string);
  if (fault === undefined) return value as string;
  faults.add('/currency', fault);
  return '';
}

function parseTimestampField(value: unknown, context: ParseContext, faults: Faults): Instant {
  if (isAbsent(value)) return context.receivedAt;
  const timestamp = textFault('timestamp', value) ?? parseTimestamp(value as string);
  if (typeof timestamp !== 'number') {
    faults.add('/timestamp', timestamp);
    return 0;
  }
  const latest = context.receivedAt + context.rules.maxFutureMs;
  if (timestamp < earliest || timestamp > latest) {
    faults.add('/timestamp', timestampRangeFault(timestamp, latest));
  }
  return timestamp;
}

const earliest = Date.UTC(limits.timestampYearMin, 0, 1);

function timestampRangeFault(timestamp: Instant, latest: Instant): Fault {
  if (timestamp < earliest) {
    const detail = `timestamp lies before the year ${limits.timestampYearMin}`;
    return { code: 'timestamp_too_old', detail };
  }
  return {
    code: 'timestamp_in_future',
    detail: `timestamp lies in the future: the hub takes times up to ${formatInstant(latest)}`,
  };
}

/** The fault of a required text that is absent or no text. */
function textFault(name: string, value: unknown): Fault | undefined {
  if (typeof value === 'string') return undefined;
  return isAbsent(value) ? required(name) : expectedString(name, value);
}

/**
 * A copy that stands alone. V8 keeps a long substring as a view of its source,
 * and an event that is kept in memory must not hold its whole batch there.
 */
function ownText(text: string): string {
  return text.length < SHORTEST_VIEW ? text : ` ${text}`.slice(1);
}

const SHORTEST_VIEW = 13;
