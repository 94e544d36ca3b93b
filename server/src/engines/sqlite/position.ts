import type { Event } from '../../event/event.ts';
import { fingerprintOf } from '../../event/fingerprint.ts';
import { noPosition, positionGone } from '../../event/position-faults.ts';
import type { Position } from '../../log/event-log.ts';

/**
 * A position is `SEQUENCE-LOG-FINGERPRINT`: 16 decimal digits, so that it sorts
 * bytewise; 8 hex digits of the log's random identity; and 8 hex digits over
 * the entry's unchanging content.
 */
const form = /^(\d{16})-([0-9a-f]{8})-([0-9a-f]{8})$/;

export interface PositionParts {
  readonly sequence: number;
  readonly logId: string;
  readonly fingerprint: string;
}

export function formatPosition(sequence: number, logId: string, fingerprint: string): Position {
  return `${String(sequence).padStart(16, '0')}-${logId}-${fingerprint}` as Position;
}

export function positionOf(sequence: number, logId: string, event: Event): Position {
  return formatPosition(sequence, logId, fingerprintOf(event));
}

export function isSqlitePosition(text: string): text is Position {
  return form.test(text);
}

/** Rejects with `invalid` what never was a position, and with `position_gone` one of another log. */
export function parsePosition(text: string, logId: string): PositionParts {
  const match = form.exec(text);
  if (match === null) throw noPosition();
  const [, sequence = '', id = '', fingerprint = ''] = match;
  if (id !== logId) throw positionGone('the position belongs to another log');
  return { sequence: Number(sequence), logId: id, fingerprint };
}
