import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../../base/clock.ts';
import { fingerprintOf } from '../../event/fingerprint.ts';
import { minuteOf } from '../../event/minute.ts';
import { contentHashOf } from '../../event/removed-event.ts';
import { selectedEventColumns, unpackEvent } from './event-rows.ts';

/** See `RemovalCut`; places are sequences, the last one `Infinity` when there is no bound. */
export interface SequenceCut {
  readonly receivedBefore: Instant;
  readonly upTo: number;
}

/** A removed or removable prefix; see `Removal`. */
export interface Prefix {
  readonly events: number;
  readonly oldest: Instant;
  readonly newest: Instant;
  /** Of its last event. */
  readonly sequence: number;
  readonly fingerprint: string;
  /** That were whole before. */
  readonly minutes: number;
}

/** See `EventStore.removeOldest`. The caller holds a write transaction. */
export function removeOldest(
  database: DatabaseSync,
  shard: string,
  cut: SequenceCut,
  limit: number,
): Prefix | undefined {
  const keep = database.prepare('INSERT INTO removed_events VALUES (?, ?, ?, ?, ?, ?)');
  const minutes = new Set<Instant>();
  let prefix: Omit<Prefix, 'minutes'> | undefined;
  for (const { sequence, event } of oldestWithin(database, cut, { after: 0, limit })) {
    const { id, timestamp, receivedAt } = event;
    const fingerprint = fingerprintOf(event);
    keep.run(id, sequence, fingerprint, contentHashOf(event), timestamp, receivedAt);
    minutes.add(minuteOf(timestamp));
    prefix = {
      events: (prefix?.events ?? 0) + 1,
      oldest: prefix?.oldest ?? receivedAt,
      newest: receivedAt,
      sequence,
      fingerprint,
    };
  }
  if (prefix === undefined) return undefined;
  database.prepare('DELETE FROM events WHERE position <= ?').run(prefix.sequence);
  raiseFloor(database, shard, prefix);
  return { ...prefix, minutes: freeze(database, minutes) };
}

/** The events of the cut after a sequence, oldest first; never the newest of all. */
export function* oldestWithin(
  database: DatabaseSync,
  { receivedBefore, upTo }: SequenceCut,
  { after, limit }: { readonly after: number; readonly limit: number },
) {
  const statement = database.prepare(`
    SELECT position, ${selectedEventColumns} FROM events
    WHERE position > ? AND position < (SELECT max(position) FROM events)
    ORDER BY position LIMIT ?`);
  statement.setReturnArrays(true);
  for (const found of statement.iterate(after, limit)) {
    const row = found as unknown as readonly unknown[];
    const sequence = row[0] as number;
    const event = unpackEvent(row, 1);
    if (event.receivedAt >= receivedBefore || sequence > upTo) return;
    yield { sequence, event };
  }
}

/** Never back: of a log that is read anew an entry may come that lies before the floor. */
function raiseFloor(
  database: DatabaseSync,
  shard: string,
  { sequence, fingerprint, events }: Pick<Prefix, 'sequence' | 'fingerprint' | 'events'>,
): void {
  database
    .prepare(`
      INSERT INTO floors VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET
        fingerprint = iif(excluded.position > position, excluded.fingerprint, fingerprint),
        position = max(position, excluded.position),
        removed_events = removed_events + excluded.removed_events`)
    .run(shard, sequence, fingerprint, events);
}

/** How many of the minutes were whole until now. */
function freeze(database: DatabaseSync, minutes: ReadonlySet<Instant>): number {
  const insert = database.prepare('INSERT INTO frozen_minutes VALUES (?) ON CONFLICT DO NOTHING');
  let frozen = 0;
  for (const minute of minutes) frozen += Number(insert.run(minute).changes);
  return frozen;
}
