import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Instant } from '../../base/clock.ts';
import { isLate, minuteOf } from '../../event/minute.ts';
import { isRepeatOf } from '../../event/removed-event.ts';
import { CountTally } from '../../store/count-tally.ts';
import { type Cell, selectedEventColumns, unpackEvent } from './event-rows.ts';
import { type FirstEvent, RemovedEvents } from './removed-events.ts';
import { totalBase } from './schema.ts';

/** Cells of one event, see event-rows.ts. */
export const stride = 8;

/** How one event came out, as a number that crosses threads cheaply. */
export const outcome = { accepted: 0, duplicate: 1, conflict: 2, notStored: 3 } as const;

export interface Outcomes {
  readonly statuses: Uint8Array;
  /** The sequence of the event, or of its first when it is a duplicate; 0 otherwise. */
  readonly sequences: Float64Array;
}

/** Writes events, their unique ids and their counts. The caller holds the transaction. */
export class EventWriter {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #findById: StatementSync;
  readonly #removed: RemovedEvents;
  readonly #count: StatementSync;
  readonly #countMinute: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare(
      'INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
    );
    this.#findById = database.prepare(
      `SELECT position, ${selectedEventColumns} FROM events WHERE id = ?`,
    );
    this.#findById.setReturnArrays(true);
    this.#removed = new RemovedEvents(database);
    this.#count = database.prepare(`
      INSERT INTO minute_counts VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET
        event_count = event_count + excluded.event_count,
        total_high = total_high + excluded.total_high,
        total_low = total_low + excluded.total_low,
        first_position = min(first_position, excluded.first_position),
        last_position = max(last_position, excluded.last_position)`);
    this.#countMinute = database.prepare(`
      INSERT INTO counted_minutes VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET
        event_count = event_count + excluded.event_count,
        late_count = late_count + excluded.late_count,
        total_high = total_high + excluded.total_high,
        total_low = total_low + excluded.total_low`);
  }

  /** The sequence of the newest event; 0 when there is none. */
  lastSequence(): number {
    const row = this.#database.prepare('SELECT max(position) AS last FROM events').get();
    return Number(row?.last ?? 0);
  }

  /**
   * Appends events in order after `last`. `groups` says how many events each
   * group has, negative for an atomic one. Answers the new last sequence.
   */
  append(
    cells: readonly Cell[],
    groups: readonly number[],
    last: number,
    now: Instant,
  ): { outcomes: Outcomes; last: number } {
    this.#removed.look();
    const events = cells.length / stride;
    const outcomes = { statuses: new Uint8Array(events), sequences: new Float64Array(events) };
    const written: number[] = [];
    let sequence = last;
    let start = 0;
    for (const size of groups) {
      const end = start + Math.abs(size);
      sequence =
        size < 0
          ? this.#appendAtomic(cells, start, end, sequence, outcomes, written)
          : this.#appendEach(cells, start, end, sequence, outcomes, written);
      start = end;
    }
    this.#countEvents(cells, written, outcomes.sequences, now);
    return { outcomes, last: sequence };
  }

  #appendAtomic(
    cells: readonly Cell[],
    start: number,
    end: number,
    last: number,
    outcomes: Outcomes,
    written: number[],
  ): number {
    const writtenBefore = written.length;
    this.#database.exec('SAVEPOINT atomic_group');
    const sequence = this.#appendEach(cells, start, end, last, outcomes, written);
    const { statuses, sequences } = outcomes;
    if (!statuses.subarray(start, end).includes(outcome.conflict)) {
      this.#database.exec('RELEASE atomic_group');
      return sequence;
    }
    this.#database.exec('ROLLBACK TO atomic_group; RELEASE atomic_group');
    written.length = writtenBefore;
    for (let index = start; index < end; index += 1) {
      if (statuses[index] !== outcome.conflict) statuses[index] = outcome.notStored;
      sequences[index] = 0;
    }
    return last;
  }

  #appendEach(
    cells: readonly Cell[],
    start: number,
    end: number,
    last: number,
    outcomes: Outcomes,
    written: number[],
  ): number {
    let sequence = last;
    for (let index = start; index < end; index += 1) {
      if (this.#insertEvent(sequence + 1, cells, index * stride)) {
        sequence += 1;
        outcomes.sequences[index] = sequence;
        written.push(index);
      } else {
        this.#compareWithFirst(cells, index, outcomes);
      }
    }
    return sequence;
  }

  /** False when the id is known. */
  #insertEvent(sequence: number, cells: readonly Cell[], at: number): boolean {
    if (this.#removed.find(cells[at] as string) !== undefined) return false;
    const { changes } = this.#insert.run(
      sequence,
      cells[at] as Cell,
      cells[at + 1] as Cell,
      cells[at + 2] as Cell,
      cells[at + 3] as Cell,
      cells[at + 4] as Cell,
      cells[at + 5] as Cell,
      cells[at + 6] as Cell,
      cells[at + 7] as Cell,
    );
    return changes === 1;
  }

  #compareWithFirst(cells: readonly Cell[], index: number, outcomes: Outcomes): void {
    const first = this.findFirst(cells[index * stride] as string);
    const same = first !== undefined && isRepeatOf(first.event, unpackEvent(cells, index * stride));
    outcomes.statuses[index] = same ? outcome.duplicate : outcome.conflict;
    outcomes.sequences[index] = same ? first.sequence : 0;
  }

  /** What is known under an id. */
  findFirst(id: string): FirstEvent | undefined {
    const row = this.#findById.get(id) as unknown as readonly unknown[] | undefined;
    if (row === undefined) return this.#removed.find(id);
    return { sequence: row[0] as number, event: unpackEvent(row, 1) };
  }

  /** To be called in a transaction before `insertAt`. */
  lookForRemoved(): void {
    this.#removed.look();
  }

  /** Adds one event at a sequence of its own choosing, uncounted; false when its id is known. */
  insertAt(sequence: number, cells: readonly Cell[]): boolean {
    return this.#insertEvent(sequence, cells, 0);
  }

  /** Counts the events at these indexes, in the minute of their timestamp and in the hub's own. */
  #countEvents(
    cells: readonly Cell[],
    indexes: readonly number[],
    sequences: Float64Array,
    now: Instant,
  ): void {
    if (indexes.length === 0) return;
    const minutes = new CountTally<number>();
    const hubMinutes = new CountTally<number>();
    const hubMinute = minuteOf(now);
    for (const index of indexes) {
      const at = index * stride;
      const eventType = cells[at + 2] as string;
      const amount = cells[at + 3] as bigint;
      const currency = cells[at + 4] as string;
      const minute = minuteOf(cells[at + 5] as number);
      const late = isLate(minute, now);
      const sequence = sequences[index] as number;
      minutes.add(minute, eventType, currency, amount, sequence, late);
      hubMinutes.add(hubMinute, eventType, currency, amount, sequence, late);
    }
    this.#writeCounts(minutes, hubMinutes);
  }

  /** For entries that another log gave positions to. */
  countAll(cells: readonly Cell[], sequences: readonly number[], now: Instant): void {
    const indexes = sequences.map((_, index) => index);
    this.#countEvents(cells, indexes, Float64Array.from(sequences), now);
  }

  #writeCounts(minutes: CountTally<number>, hubMinutes: CountTally<number>): void {
    for (const tally of minutes.values()) {
      this.#count.run(
        tally.minute,
        tally.eventType,
        tally.currency,
        tally.eventCount,
        tally.total / totalBase,
        tally.total % totalBase,
        tally.firstPosition,
        tally.lastPosition,
      );
    }
    for (const tally of hubMinutes.values()) {
      this.#countMinute.run(
        tally.minute,
        tally.eventType,
        tally.currency,
        tally.eventCount,
        tally.lateCount,
        tally.total / totalBase,
        tally.total % totalBase,
      );
    }
  }
}
