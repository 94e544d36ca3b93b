import type { Document } from 'mongodb';
import { formatInstant } from '../../base/clock.ts';
import { type HubError, invalid } from '../../base/errors.ts';
import { jsonPointer } from '../../base/json.ts';

export interface ImportRules {
  /** The offset of times that name none, as `Z` or `+03:00`; without it they are refused. */
  readonly assumeOffset: string | undefined;
  /** A document without a time takes the second in which its id was made. */
  readonly timestampFromId: boolean;
  /** Fields that an event has not become its metadata; otherwise the hub refuses them by name. */
  readonly extraFields: 'refuse' | 'metadata';
}

/**
 * A document of the prototype as the JSON text of an event, its values
 * unjudged: that is the hub's part. Throws `invalid` for what JSON cannot say
 * and for what would have to be guessed.
 */
export function prototypeEvent(document: Document, rules: ImportRules): string {
  const { _id, user_id, event_type, amount, currency, timestamp, metadata, ...extra } = document;
  return JSON.stringify({
    id: plain(_id, '_id'),
    user_id: plain(user_id, 'user_id'),
    event_type: plain(event_type, 'event_type'),
    amount: plain(amount, 'amount'),
    currency: plain(currency, 'currency'),
    timestamp: timestampOf(timestamp, _id, rules),
    ...(rules.extraFields === 'metadata'
      ? { metadata: metadataWith(metadata, extra) }
      : { metadata: plain(metadata, 'metadata'), ...plainFields(extra) }),
  });
}

/** Its id, for people. */
export function shownId({ _id }: Document): string {
  return String(_id);
}

/** A date, or a time as it is written; Python's blank in place of the "T" says the same. */
function timestampOf(value: unknown, id: unknown, rules: ImportRules): unknown {
  if (value === undefined || value === null || value === '') {
    const made = idDate(id);
    if (rules.timestampFromId && made !== undefined) return formatInstant(made.getTime());
    throw fault(
      'timestamp',
      'required',
      'has no timestamp: --timestamp-from-id takes the second in which MongoDB made its id',
    );
  }
  if (typeof value !== 'string') return plain(value, 'timestamp');
  const text = value.replace(/^(\d{4}-\d\d-\d\d) (?=\d)/, '$1T');
  if (!naive.test(text)) return text;
  if (rules.assumeOffset !== undefined) return `${text}${rules.assumeOffset}`;
  throw fault(
    'timestamp',
    'offset_required',
    'has a time without an offset: say which one was meant with --assume-offset, such as Z or +03:00',
  );
}

const naive = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d*)?)?$/;

function metadataWith(metadata: unknown, extra: Document): unknown {
  if (Object.keys(extra).length === 0) return plain(metadata, 'metadata');
  if (metadata === undefined || metadata === null) return plainFields(extra);
  if (typeOf(metadata) !== 'object') {
    throw fault('metadata', 'object_expected', 'is no object: further fields do not fit into it');
  }
  const both = Object.keys(extra).find((name) => Object.hasOwn(metadata, name));
  if (both === undefined) return { ...plainFields(metadata), ...plainFields(extra) };
  throw fault(both, 'twice', 'is a field and in metadata too');
}

function plainFields(value: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, plain(each, name)] as const),
  );
}

/** A value of BSON as JSON has it, exact: what has no such form is refused. */
function plain(value: unknown, field: string): unknown {
  switch (typeOf(value)) {
    case 'number':
      if (Number.isFinite(value)) return value;
      throw fault(field, 'not_finite', `is ${value}, which is no number of an event`);
    case 'date':
      return instantOf(value as Date, field);
    case 'array':
      return (value as readonly unknown[]).map((each) => plain(each, field));
    case 'object':
      return plainFields(value as object);
    case 'ObjectId':
    case 'Decimal128':
    case 'Long':
      return String(value);
    case 'plain':
      return value;
    default:
      throw fault(field, 'bson_type', `is of the BSON type ${typeOf(value)}, which JSON has not`);
  }
}

/** `plain` for what JSON has itself; the name for types of BSON. */
function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'plain';
  if (typeof value === 'number') return 'number';
  if (typeof value === 'string' || typeof value === 'boolean') return 'plain';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'date';
  if (typeof value !== 'object') return typeof value;
  const { _bsontype: type } = value as { readonly _bsontype?: unknown };
  return typeof type === 'string' ? type : value instanceof RegExp ? 'RegExp' : 'object';
}

function instantOf(date: Date, field: string): string {
  const instant = date.getTime();
  if (Number.isNaN(instant)) throw fault(field, 'timestamp_format', 'is a date beyond all years');
  return formatInstant(instant);
}

function idDate(id: unknown): Date | undefined {
  return typeOf(id) === 'ObjectId' ? (id as { getTimestamp(): Date }).getTimestamp() : undefined;
}

function fault(field: string, code: string, problem: string): HubError {
  const subject = problem.startsWith('has ') ? 'the document' : field;
  return invalid(jsonPointer([field]), code, `${subject} ${problem}`);
}
