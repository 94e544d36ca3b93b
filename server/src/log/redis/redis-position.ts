import { noPosition } from '../../event/position-faults.ts';
import type { Position } from '../event-log.ts';

/**
 * A position is `MS-SEQ-LOG-FINGERPRINT`: the entry's id with both numbers as
 * 20 decimal digits, so that it sorts bytewise whatever a stream may hold; 8
 * hex digits of the log's random identity; and 8 hex digits over the entry.
 */
const form = /^(\d{20})-(\d{20})-([0-9a-f]{8})-([0-9a-f]{8})$/;

export interface PositionParts {
  readonly entryId: string;
  readonly logId: string;
  readonly fingerprint: string;
}

export function formatPosition(entryId: string, logId: string, fingerprint: string): Position {
  // Joined and not added up: V8 keeps the parts of a sum, here for as long as a whole batch.
  return [sortable(entryId), logId, fingerprint].join('-') as Position;
}

export function isRedisPosition(text: string): text is Position {
  return form.test(text);
}

/** Throws `invalid` for what never was a position. */
export function parsePosition(text: string): PositionParts {
  const match = form.exec(text);
  if (match === null) throw noPosition();
  const [, ms = '', sequence = '', logId = '', fingerprint = ''] = match;
  return { entryId: `${withoutZeros(ms)}-${withoutZeros(sequence)}`, logId, fingerprint };
}

/** Before 0 for an older entry, after it for a newer one. */
export function compareEntryIds(a: string, b: string): number {
  const [first, second] = [sortable(a), sortable(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

/** Redis's clock when the entry was written. */
export function instantOfEntry(entryId: string): number {
  return Number(entryId.slice(0, entryId.indexOf('-')));
}

const digits = 20;

function sortable(entryId: string): string {
  const dash = entryId.indexOf('-');
  const ms = entryId.slice(0, dash);
  // Most entries are of the same millisecond as the one before.
  if (ms !== lastMs) [lastMs, lastPadded] = [ms, ms.padStart(digits, '0')];
  return `${lastPadded}-${entryId.slice(dash + 1).padStart(digits, '0')}`;
}

let lastMs = '';
let lastPadded = '0'.repeat(digits);

function withoutZeros(number: string): string {
  return number.replace(/^0+(?=\d)/, '');
}
