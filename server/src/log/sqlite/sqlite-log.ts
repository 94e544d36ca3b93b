import { HubError } from '../../base/errors.ts';
import { isSqlitePosition, parsePosition } from '../../engines/sqlite/position.ts';
import { acquireSqliteEngine, releaseSqliteEngine } from '../../engines/sqlite/shared-engine.ts';
import type { Floor, SqliteEngine } from '../../engines/sqlite/sqlite-engine.ts';
import { positionGone, positionRemoved } from '../../event/position-faults.ts';
import type { EventLog, LogEntry, Position, ReadOptions } from '../event-log.ts';
import type { OpenLogOptions } from '../index.ts';
import { oneShard } from '../one-shard.ts';

/** The log in a SQLite file: an append is a row with its unique id and its counts, in one transaction. */
export async function openSqliteLog(url: string, options: OpenLogOptions): Promise<EventLog> {
  const engine = await acquireSqliteEngine({ url, ...options });
  let closing: Promise<void> | undefined;
  return {
    ...oneShard,
    append: (groups) => engine.append(groups),
    read: (read) => (read.follow ? followEntries(engine, read) : readEntries(engine, read)),
    // Its entries are the stored events: only retention removes them.
    trim: async () => undefined,
    trimmedTo: async () => (await engine.floor())?.position,
    end: () => endOf(engine),
    countAt: (position) => parsePosition(position, engine.logId).sequence,
    isPosition: isSqlitePosition,
    check: async () => {
      await engine.check();
      return { durability: 'SQLite WAL with synchronous=FULL: on disk before the answer' };
    },
    close: () => {
      closing ??= releaseSqliteEngine(engine);
      return closing;
    },
  };
}

async function* followEntries(
  engine: SqliteEngine,
  options: ReadOptions,
): AsyncGenerator<readonly LogEntry[]> {
  const unfollow = engine.tail.follow();
  try {
    yield* readEntries(engine, options);
  } finally {
    unfollow();
  }
}

async function* readEntries(
  engine: SqliteEngine,
  { from, follow, limit, signal }: ReadOptions,
): AsyncGenerator<readonly LogEntry[]> {
  const { tail } = engine;
  let sequence = await startOf(engine, from);
  while (!signal.aborted) {
    const batch = await entriesAfter(engine, sequence, limit);
    if (signal.aborted) return;
    const last = batch.at(-1);
    if (last !== undefined) {
      sequence = parsePosition(last.position, engine.logId).sequence;
      yield batch;
    } else if (!follow) {
      return;
    } else if (tail.closed) {
      throw new HubError('unavailable', 'the log is closed', { retryAfterS: 2 });
    } else {
      await tail.more(sequence, signal);
    }
  }
}

async function entriesAfter(
  engine: SqliteEngine,
  sequence: number,
  limit: number,
): Promise<readonly LogEntry[]> {
  const recent = engine.beside ? undefined : engine.tail.after(sequence, limit);
  if (recent !== undefined) return recent;
  const rows = await engine.reader.call('readEntries', sequence, limit);
  // The log has no gaps but those of retention, which has overtaken a reader when it comes upon one.
  if (sequence > 0 && rows[0] !== undefined && (rows[0][0] as number) > sequence + 1) {
    await assertBehindFloor(engine, sequence);
  }
  return rows.map((row) => engine.entryOf(row));
}

/** The sequence to read after. A position is trusted only when its entry still is what it was. */
async function startOf(engine: SqliteEngine, from: ReadOptions['from']): Promise<number> {
  if (from === 'end') return engine.tail.last;
  const isStart = from === 'start';
  const sequence = isStart ? 0 : parsePosition(from, engine.logId).sequence;
  await assertBehindFloor(engine, isStart ? Number.POSITIVE_INFINITY : sequence);
  if (isStart) return sequence;
  const [recent] = engine.tail.after(sequence - 1, 1) ?? [];
  const entry = recent ?? (await storedEntry(engine, sequence));
  if (entry?.position === from) return sequence;
  // Of the newest event that was removed, maybe just now, the place is still known.
  const floor = await assertBehindFloor(engine, sequence);
  if (floor?.position === from) return sequence;
  throw positionGone('the log does not hold the entry of this position');
}

/** Rejects with `position_gone` for a place before what retention removed. */
async function assertBehindFloor(
  engine: SqliteEngine,
  sequence: number,
): Promise<Floor | undefined> {
  const floor = await engine.floor();
  if (floor !== undefined && sequence < floor.sequence) throw positionRemoved(floor.position);
  return floor;
}

async function storedEntry(engine: SqliteEngine, sequence: number): Promise<LogEntry | undefined> {
  const row = await engine.reader.call('findBySequence', sequence);
  return row === undefined ? undefined : engine.entryOf(row);
}

async function endOf(engine: SqliteEngine): Promise<Position | undefined> {
  const [recent] = engine.tail.after(engine.tail.last - 1, 1) ?? [];
  if (recent !== undefined) return recent.position;
  const row = await engine.reader.call('newestEntry');
  if (row === undefined) return undefined;
  // The file may be ahead of what this thread has heard of. Who reads history must come as far as the
  // end that was said, or what lies between is in neither the history nor the live feed.
  engine.tail.advance(row[0] as number);
  return engine.entryOf(row).position;
}
