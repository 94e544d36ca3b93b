import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../../base/clock.ts';
import { rowsOf } from './queries.ts';
import type { SequenceCut } from './remove-oldest.ts';

/** Part of what a cut takes. */
export interface RemovablePart {
  readonly events: number;
  readonly oldest: Instant;
  readonly newest: Instant;
  /** Of its last event. */
  readonly sequence: number;
}

/** Up to `limit` events of the cut after a sequence; undefined when there are none. */
export function removablePart(
  database: DatabaseSync,
  { receivedBefore, upTo }: SequenceCut,
  after: number,
  limit: number,
): RemovablePart | undefined {
  const rows = rowsOf(
    database,
    `SELECT position, received_at FROM events
      WHERE position > ? AND position < (SELECT max(position) FROM events)
      ORDER BY position LIMIT ?`,
    [after, limit],
  ) as readonly (readonly [number, Instant])[];
  const stays = rows.findIndex(
    ([sequence, receivedAt]) => receivedAt >= receivedBefore || sequence > upTo,
  );
  const removable = stays < 0 ? rows : rows.slice(0, stays);
  const [first, last] = [removable[0], removable.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  return { events: removable.length, oldest: first[1], newest: last[1], sequence: last[0] };
}

/** Minutes of `[from, to)` that are whole and have an event at or before the sequence. */
export function minutesLosing(
  database: DatabaseSync,
  from: Instant,
  to: Instant,
  sequence: number,
): number {
  const [found] = rowsOf(
    database,
    `SELECT count(DISTINCT timestamp / 60000) FROM events INDEXED BY events_by_timestamp
      WHERE timestamp >= ? AND timestamp < ? AND position <= ?
        AND timestamp / 60000 * 60000 NOT IN (SELECT minute FROM frozen_minutes)`,
    [from, to, sequence],
  );
  return Number(found?.[0]);
}
