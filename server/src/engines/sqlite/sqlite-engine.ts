import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { UpgradeOptions } from '../../base/migration.ts';
import type { Event } from '../../event/event.ts';
import type { Appended, AppendGroup, LogEntry, Position } from '../../log/event-log.ts';
import { Checkpoints } from './checkpoints.ts';
import { type Cell, packEvent, unpackEvent } from './event-rows.ts';
import { type Outcomes, outcome } from './event-writer.ts';
import { lockFile } from './file-lock.ts';
import { LocalLeases } from './local-leases.ts';
import { formatPosition, positionOf } from './position.ts';
import type { Row } from './queries.ts';
import type { ReaderData, ReaderProcedures } from './reader-thread.ts';
import type { Prefix, SequenceCut } from './remove-oldest.ts';
import { Tail } from './tail.ts';
import { Thread } from './thread.ts';
import type { WriterOptions } from './writer.ts';
import type { WriterProcedures } from './writer-thread.ts';

/** The whole log is one shard. */
export const sqliteShard = '0';

/** Events in one stretch of a pass over all of them: a fraction of a second each. */
export const stretchEvents = 50_000;

export interface SqliteEngineOptions {
  /** `sqlite:` and a path. */
  readonly url: string;
  /** Holds the file for this process alone and makes it when there is none; a command beside a running hub does neither. */
  readonly exclusive: boolean;
  /** For tests of a full disk. */
  readonly pageCountMax?: number;
  /** Of a file of an older hub; brought up to date without a word when absent. */
  readonly upgrade?: UpgradeOptions;
}

/** The place of the newest event that retention removed. */
export interface Floor {
  readonly sequence: number;
  readonly position: Position;
  readonly removedEvents: number;
}

const writerCacheKib = 16 * 1024;
const readerCacheKib = 4 * 1024;

/**
 * One file as log and store: a writer thread, a reader thread, and the newest
 * entries in memory for those who follow the log.
 */
export class SqliteEngine {
  readonly file: string;
  readonly logId: string;
  /** Another process may append to the file: what is new in it is seen only by looking. */
  readonly beside: boolean;
  readonly tail: Tail;
  readonly leases = new LocalLeases(systemClock);
  readonly writer: Thread<WriterProcedures>;
  readonly reader: Thread<ReaderProcedures>;
  readonly #unlock: () => void;
  readonly #checkpoints: Checkpoints;
  #closed: Promise<void> | undefined;

  private constructor(
    file: string,
    threads: { writer: Thread<WriterProcedures>; reader: Thread<ReaderProcedures> },
    opened: { logId: string; lastSequence: number; beside: boolean },
    unlock: () => void,
  ) {
    this.file = file;
    this.beside = opened.beside;
    this.logId = opened.logId;
    this.tail = new Tail(opened.lastSequence, limits.tailEntries, limits.tailBytes);
    this.writer = threads.writer;
    this.reader = threads.reader;
    this.#unlock = unlock;
    this.#checkpoints = new Checkpoints(threads);
  }

  /** Rejects with `conflict` or `not_found` when the file is held, not a hub's, newer, or absent. */
  static async open(options: SqliteEngineOptions): Promise<SqliteEngine> {
    const file = fileOf(options.url);
    const unlock = options.exclusive ? lockFile(file) : () => undefined;
    const writerOptions: WriterOptions = {
      file,
      create: options.exclusive,
      keepVersion: options.upgrade?.allowed === false,
      locked: options.exclusive,
      cacheKib: writerCacheKib,
      pageCountMax: options.pageCountMax,
      known: undefined,
    };
    const writer = new Thread<WriterProcedures>(threadFile('writer-thread'), writerOptions);
    const readerData: ReaderData = { file, cacheKib: readerCacheKib, known: undefined };
    const reader = new Thread<ReaderProcedures>(threadFile('reader-thread'), readerData);
    try {
      const opened = await writer.call('opened');
      for (const step of opened.migrated) options.upgrade?.onDone(step, file);
      writer.restartWith({ ...writerOptions, create: false, known: opened.file });
      reader.restartWith({ ...readerData, known: opened.file });
      const beside = !options.exclusive;
      return new SqliteEngine(file, { writer, reader }, { ...opened, beside }, unlock);
    } catch (reason) {
      await Promise.all([writer.close(), reader.close()]);
      unlock();
      throw reason;
    }
  }

  async append(groups: readonly AppendGroup[]): Promise<readonly (readonly Appended[])[]> {
    const cells: Cell[] = [];
    for (const group of groups) for (const event of group.events) packEvent(event, cells);
    const sizes = groups.map(({ events, atomic }) => (atomic ? -events.length : events.length));
    try {
      const outcomes = await this.writer.call('append', cells, sizes);
      this.#checkpoints.committed(outcomes.statuses.length);
      return this.#describe(groups, outcomes);
    } catch (reason) {
      void this.#catchUp();
      throw reason;
    }
  }

  /** Rejects with `unavailable` when an append would fail now. */
  async check(): Promise<void> {
    this.tail.advance(await this.writer.call('check'));
  }

  /** Undefined while retention has removed nothing. Memory lets go of what another process removed. */
  async floor(): Promise<Floor | undefined> {
    const rows = await this.reader.call('floors');
    const row = rows.find(([shard]) => shard === sqliteShard);
    if (row === undefined) return undefined;
    const [, sequence, fingerprint, removedEvents] = row as readonly [
      string,
      number,
      string,
      number,
    ];
    this.tail.removedTo(sequence);
    return { sequence, position: formatPosition(sequence, this.logId, fingerprint), removedEvents };
  }

  /** See `EventStore.removeOldest`. */
  async removeOldest(cut: SequenceCut, limit: number): Promise<Prefix | undefined> {
    const prefix = await this.writer.call('removeOldest', sqliteShard, cut, limit);
    if (prefix === undefined) return undefined;
    this.tail.removedTo(prefix.sequence);
    this.#checkpoints.removed(prefix.events);
    return prefix;
  }

  entryOf(row: Row): LogEntry {
    const event = unpackEvent(row, 1);
    return { shard: sqliteShard, position: this.positionOf(row[0] as number, event), event };
  }

  positionOf(sequence: number, event: Event): Position {
    return positionOf(sequence, this.logId, event);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** What failed may be in the file all the same: those who follow the log must not wait for the next commit to see it. */
  async #catchUp(): Promise<void> {
    try {
      const { lastSequence } = await this.writer.call('opened');
      this.tail.advance(lastSequence);
    } catch {
      // The file cannot be looked at now; the next check or commit that succeeds catches up.
    }
  }

  #describe(
    groups: readonly AppendGroup[],
    { statuses, sequences }: Outcomes,
  ): readonly (readonly Appended[])[] {
    let index = -1;
    const committed: LogEntry[] = [];
    let first = 0;
    let newestDuplicate = 0;
    const described = groups.map(({ events, trace }) =>
      events.map((event): Appended => {
        index += 1;
        const status = statuses[index];
        if (status === outcome.conflict) return { status: 'conflict' };
        if (status === outcome.notStored) return { status: 'not_stored' };
        const sequence = sequences[index] as number;
        const position = this.positionOf(sequence, event);
        if (status === outcome.duplicate) {
          newestDuplicate = Math.max(newestDuplicate, sequence);
          return { status: 'duplicate', position };
        }
        if (committed.length === 0) first = sequence;
        const entry = { shard: sqliteShard, position, event };
        committed.push(trace === undefined ? entry : { ...entry, trace });
        return { status: 'accepted', position };
      }),
    );
    this.tail.push(first, committed);
    // The first one's own answer may have been lost.
    this.tail.advance(newestDuplicate);
    return described;
  }

  /** The file and what is still to be moved into it. */
  async sizeBytes(): Promise<number> {
    const found = await Promise.all([this.file, `${this.file}-wal`].map(sizeOf));
    return found.reduce((sum, size) => sum + size, 0);
  }

  async #close(): Promise<void> {
    this.tail.close();
    await this.#checkpoints.settled();
    await this.reader.close();
    await this.writer.close();
    this.#unlock();
  }
}

/** The absolute path in `sqlite:PATH`. */
export function fileOf(url: string): string {
  if (!url.startsWith('sqlite:')) throw new HubError('invalid', `${url} is no sqlite: URL`);
  return resolve(url.slice('sqlite:'.length));
}

/** 0 where there is none: the write-ahead log comes and goes. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (reason) {
    if ((reason as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw reason;
  }
}

function threadFile(name: string): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./${name}.${extension}`, import.meta.url);
}
