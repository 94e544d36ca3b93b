import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../../base/clock.ts';
import { isRepeatOf } from '../../event/removed-event.ts';
import type { UnreadableEntry } from '../../log/event-log.ts';
import type { Recorded } from '../../store/event-store.ts';
import { type Cell, unpackEvent } from './event-rows.ts';
import { type EventWriter, stride } from './event-writer.ts';
import { parsePosition } from './position.ts';

export interface Entries {
  readonly shard: string;
  readonly positions: readonly string[];
  readonly cells: readonly Cell[];
  readonly unreadable: readonly UnreadableEntry[];
}

/** Entries of another log with their positions, inside the caller's transaction; see `EventStore.record`. */
export function recordEntries(
  database: DatabaseSync,
  events: EventWriter,
  logId: string,
  { shard, positions, cells, unreadable }: Entries,
  now: Instant,
): Recorded {
  const row = database.prepare('SELECT position FROM positions WHERE shard = ?').get(shard);
  const reached = String(row?.position ?? '');
  const recorded = { added: 0, duplicates: 0, conflicts: 0 };
  const addedCells: Cell[] = [];
  const addedSequences: number[] = [];
  events.lookForRemoved();
  for (const [index, position] of positions.entries()) {
    if (position <= reached) continue;
    const eventCells = cells.slice(index * stride, (index + 1) * stride);
    const { sequence } = parsePosition(position, logId);
    if (events.insertAt(sequence, eventCells)) {
      recorded.added += 1;
      addedCells.push(...eventCells);
      addedSequences.push(sequence);
      continue;
    }
    const event = unpackEvent(eventCells, 0);
    const first = events.findFirst(event.id);
    if (first !== undefined && isRepeatOf(first.event, event)) {
      recorded.duplicates += 1;
    } else {
      recorded.conflicts += 1;
      keepConflicts(database, [{ shard, position }], eventCells);
    }
  }
  events.countAll(addedCells, addedSequences, now);
  keepUnreadable(
    database,
    unreadable.filter(({ position }) => position > reached),
  );
  const newest = [...positions, ...unreadable.map(({ position }) => position)].sort().at(-1);
  if (newest !== undefined && newest > reached) putPosition(database, shard, newest);
  return recorded;
}

/** The place of an entry in a log. */
export interface Place {
  readonly shard: string;
  readonly position: string;
}

/** The cells are those of the events at `places`. */
export function keepConflicts(
  database: DatabaseSync,
  places: readonly Place[],
  cells: readonly Cell[],
): void {
  const insert = database.prepare(
    'INSERT INTO conflicts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  for (const [index, { shard, position }] of places.entries()) {
    insert.run(shard, position, ...cells.slice(index * stride, (index + 1) * stride));
  }
}

export function keepUnreadable(database: DatabaseSync, entries: readonly UnreadableEntry[]): void {
  const insert = database.prepare(
    'INSERT INTO unreadable_entries VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  for (const { shard, position, reason, raw } of entries) insert.run(shard, position, reason, raw);
}

/** The shard is read up to here. */
export function putPosition(database: DatabaseSync, shard: string, position: string): void {
  database
    .prepare(
      'INSERT INTO positions VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position',
    )
    .run(shard, position);
}
