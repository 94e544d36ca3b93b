import type { DatabaseSync } from 'node:sqlite';
import type { Clock, Instant } from '../../base/clock.ts';
import type { MigrationStep } from '../../base/migration.ts';
import type { UnreadableEntry } from '../../log/event-log.ts';
import type { FrozenMinute, RemovedRecord } from '../../store/event-store.ts';
import type { StoredKey } from '../../store/key-store.ts';
import { addKey, expireKeys, noteKeyUses, reopenAccess, revokeKeys } from './api-keys.ts';
import type { Cell } from './event-rows.ts';
import { EventWriter, type Outcomes } from './event-writer.ts';
import { FileIdentity, type FileMark, markFiles } from './file-identity.ts';
import { lockOf } from './file-lock.ts';
import { assertSpace } from './free-space.ts';
import { keepFrozen, keepRemoved } from './keep-removed.ts';
import { checkpoint, openDatabase, readLogId } from './open-database.ts';
import { rebuildMinutes } from './rebuild.ts';
import {
  keepConflicts,
  keepUnreadable,
  type Place,
  putPosition,
  recordEntries,
} from './record-entries.ts';
import { type Prefix, removeOldest, type SequenceCut } from './remove-oldest.ts';
import { breaksConnection } from './sqlite-fault.ts';

export interface WriterOptions {
  readonly file: string;
  readonly create: boolean;
  /** As in `OpenOptions`. */
  readonly keepVersion: boolean;
  /** This process holds the lock of the file: without its side file another hub would not see that. */
  readonly locked: boolean;
  readonly cacheKib: number;
  /** Caps the file's size in pages; undefined for no cap. */
  readonly pageCountMax: number | undefined;
  /** The file that a thread before this one had open: another one is not taken in its place. */
  readonly known: FileMark | undefined;
}

export interface Opened {
  readonly file: FileMark;
  readonly logId: string;
  readonly lastSequence: number;
  /** What was done to bring the file up to date when it was opened. */
  readonly migrated: readonly MigrationStep[];
}

/**
 * Checkpoints are asked for by the engine (see checkpoints.ts). When those do
 * not come, a commit makes one itself after so many pages: 256 MiB.
 */
const checkpointPagesAtLast = 65_536;

/** The one writer of the file: every change goes through here, one transaction at a time. */
export class Writer {
  readonly #options: WriterOptions;
  readonly #clock: Clock;
  #connection: Connection;

  constructor(options: WriterOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#connection = connect(options);
  }

  /** Where the file stands. Rejects while it is not the one that was opened. */
  opened(): Opened {
    this.#reconnectIfBroken();
    const { identity, logId, last, migrated } = this.#connection;
    identity.assertUnchanged();
    const [file] = identity.marks;
    if (file === undefined) throw new Error('a connection is to a file');
    return { file, logId, lastSequence: last, migrated };
  }

  /** One transaction for all groups: rows, unique ids and counts. Durable when it returns. */
  append(cells: readonly Cell[], groups: readonly number[]): Outcomes {
    return this.#transact((connection) => {
      const now = this.#clock.now();
      const { outcomes, last } = connection.events.append(cells, groups, connection.last, now);
      return { result: outcomes, last };
    });
  }

  /** Entries of another log with their positions; see `EventStore.record`. */
  record(
    shard: string,
    positions: readonly string[],
    cells: readonly Cell[],
    unreadable: readonly UnreadableEntry[],
  ) {
    return this.#transact((connection) => {
      const now = this.#clock.now();
      const { database, events, logId } = connection;
      const entries = { shard, positions, cells, unreadable };
      const result = recordEntries(database, events, logId, entries, now);
      return { result, last: connection.events.lastSequence() };
    });
  }

  /** Recomputes the counts of the minutes `[from, to)`; the answer is how many rows changed. */
  rebuild(from: Instant, to: Instant): number {
    return this.#change((database) => rebuildMinutes(database, from, to));
  }

  /** See `EventStore.removeOldest`. The newest event stays, and with it the place where the next one goes. */
  removeOldest(shard: string, cut: SequenceCut, limit: number): Prefix | undefined {
    return this.#change((database) => removeOldest(database, shard, cut, limit));
  }

  setValue(key: string, value: string): void {
    this.#change((database) => putValue(database, key, value));
  }

  /** The value that is there; where there is none, this one from now on. */
  keepValue(key: string, value: string): string {
    return this.#change((database) => {
      database.prepare('INSERT INTO hub VALUES (?, ?) ON CONFLICT DO NOTHING').run(key, value);
      return String(database.prepare('SELECT value FROM hub WHERE key = ?').get(key)?.value);
    });
  }

  resetPosition(shard: string, to: string | undefined): void {
    this.#change((database) => {
      if (to === undefined) database.prepare('DELETE FROM positions WHERE shard = ?').run(shard);
      else putPosition(database, shard, to);
    });
  }

  /** See `EventStore.keepAside`; the cells are those of the conflicts at `places`. */
  keepAside(
    places: readonly Place[],
    cells: readonly Cell[],
    unreadable: readonly UnreadableEntry[],
  ): void {
    this.#change((database) => {
      keepConflicts(database, places, cells);
      keepUnreadable(database, unreadable);
    });
  }

  /** See `EventStore`; the answer is the ids that are known otherwise. */
  keepRemoved(records: readonly RemovedRecord[]): readonly string[] {
    return this.#change((database) => keepRemoved(database, records));
  }

  keepFrozen(minutes: readonly FrozenMinute[]): void {
    this.#change((database) => keepFrozen(database, minutes));
  }

  /** See `KeyStore`. */
  addKey(key: StoredKey, forgetEndedBefore: Instant): void {
    this.#change((database) => addKey(database, key, forgetEndedBefore));
  }

  expireKeys(ids: readonly string[], at: Instant): void {
    this.#change((database) => expireKeys(database, ids, at));
  }

  revokeKeys(ids: readonly string[], at: Instant): void {
    this.#change((database) => revokeKeys(database, ids, at));
  }

  noteKeyUses(uses: ReadonlyMap<string, Instant>): void {
    this.#change((database) => noteKeyUses(database, uses));
  }

  reopenAccess(): void {
    this.#change(reopenAccess);
  }

  forgetCountedMinutes(end: Instant): void {
    this.#change((database) => {
      database.prepare('DELETE FROM counted_minutes WHERE minute < ?').run(end);
    });
  }

  /**
   * Rejects when an append would fail now: it makes a small commit, which asks
   * for new pages, because a changed value alone fits into a full file. The
   * answer is the newest event's sequence.
   */
  check(): number {
    const last = this.#transact((connection) => {
      const { database } = connection;
      database.prepare("INSERT INTO hub VALUES ('room', ?)").run(roomChecked);
      database.prepare("DELETE FROM hub WHERE key = 'room'").run();
      putValue(database, 'checked_at', String(this.#clock.now()));
      return { result: connection.last, last: connection.last };
    });
    assertSpace(this.#options.file);
    return last;
  }

  /** Copies what the write-ahead log still holds into the file, so that the log starts over. */
  checkpoint(): void {
    if (!this.#connection.broken) checkpoint(this.#connection.database);
  }

  close(): void {
    this.#connection.database.close();
  }

  /** A change that adds no events. */
  #change<R>(change: (database: DatabaseSync) => R): R {
    return this.#transact(({ database, last }) => ({ result: change(database), last }));
  }

  #transact<T>(change: (connection: Connection) => { result: T; last: number }): T {
    this.#reconnectIfBroken();
    const connection = this.#connection;
    const { database } = connection;
    try {
      database.exec('BEGIN IMMEDIATE');
      const { result, last } = change(connection);
      database.exec('COMMIT');
      connection.last = last;
      connection.identity.assertUnchanged();
      return result;
    } catch (reason) {
      connection.broken = breaksConnection(reason) || !rollBack(database);
      throw reason;
    }
  }

  /** After a failed write or sync only a fresh look at the file tells what is in it. */
  #reconnectIfBroken(): void {
    if (!this.#connection.broken) return;
    this.#connection.identity.assertUnchanged();
    try {
      if (this.#connection.database.isOpen) this.#connection.database.close();
    } catch {
      // The connection is given up either way.
    }
    this.#connection = connect({ ...this.#options, create: false });
  }
}

/** A batch of events takes about as much. */
const roomChecked = ' '.repeat(64 * 1024);

function putValue(database: DatabaseSync, key: string, value: string): void {
  database
    .prepare('INSERT INTO hub VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
    .run(key, value);
}

interface Connection {
  readonly database: DatabaseSync;
  readonly events: EventWriter;
  readonly identity: FileIdentity;
  readonly logId: string;
  readonly migrated: readonly MigrationStep[];
  /** The sequence of the newest committed event. */
  last: number;
  broken: boolean;
}

function connect(options: WriterOptions): Connection {
  if (options.known !== undefined) new FileIdentity([options.known]).assertUnchanged();
  const migrated: MigrationStep[] = [];
  const database = openDatabase(options.file, {
    create: options.create,
    keepVersion: options.keepVersion,
    onMigrated: (step) => migrated.push(step),
    readOnly: false,
    cacheKib: options.cacheKib,
  });
  database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPagesAtLast}`);
  if (options.pageCountMax !== undefined) {
    database.exec(`PRAGMA max_page_count = ${options.pageCountMax}`);
  }
  const events = new EventWriter(database);
  // The first read makes the -wal file, whose identity is watched too.
  const last = events.lastSequence();
  return {
    database,
    events,
    identity: new FileIdentity(markFiles(watchedFiles(options))),
    logId: readLogId(database),
    migrated,
    last,
    broken: false,
  };
}

function watchedFiles({ file, locked }: WriterOptions): readonly string[] {
  return [file, `${file}-wal`, ...(locked ? [lockOf(file)] : [])];
}

/** False when the connection cannot even roll back. */
function rollBack(database: DatabaseSync): boolean {
  try {
    if (database.isTransaction) database.exec('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}
