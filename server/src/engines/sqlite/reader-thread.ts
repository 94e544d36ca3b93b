import type { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';
import type { AggregateQuery, ListQuery } from '../../store/event-store.ts';
import { aggregateEvents } from './aggregate-events.ts';
import { readAccess } from './api-keys.ts';
import { FileIdentity, type FileMark } from './file-identity.ts';
import { findEvents } from './find-events.ts';
import { checkpoint, openDatabase } from './open-database.ts';
import { minutesLosing, removablePart } from './preview-removal.ts';
import * as queries from './queries.ts';
import { differencesOf, frozenMinutes, minuteStretches } from './rebuild.ts';
import type { SequenceCut } from './remove-oldest.ts';
import { breaksConnection } from './sqlite-fault.ts';
import { serveThread } from './thread.ts';

const { file, cacheKib, known } = workerData as ReaderData;
export interface ReaderData {
  readonly file: string;
  readonly cacheKib: number;
  /** The file that was opened first; undefined for the first start. */
  readonly known: FileMark | undefined;
}

let database: DatabaseSync | undefined;
/** For checkpoints alone. */
let writable: DatabaseSync | undefined;

/** What stands at the path must be the file that the hub serves from. */
function open(options: { readonly readOnly: boolean; readonly cacheKib: number }): DatabaseSync {
  if (known !== undefined) new FileIdentity([known]).assertUnchanged();
  return openDatabase(file, { create: false, ...options });
}

/** A connection that a fault has made doubtful is replaced at the next request. */
function reading<A extends readonly unknown[], R>(
  query: (database: DatabaseSync, ...args: A) => R,
) {
  return (...args: A): R => {
    database ??= open({ readOnly: true, cacheKib });
    try {
      return query(database, ...args);
    } catch (reason) {
      if (breaksConnection(reason)) {
        database.close();
        database = undefined;
      }
      throw reason;
    }
  };
}

function inSnapshot<R>(db: DatabaseSync, query: () => R): R {
  db.exec('BEGIN');
  try {
    return query();
  } finally {
    db.exec('COMMIT');
  }
}

const procedures = {
  readEntries: reading((db, after: number, limit: number) => queries.readEntries(db, after, limit)),
  findBySequence: reading((db, sequence: number) => queries.findBySequence(db, sequence)),
  findById: reading((db, id: string) => queries.findById(db, id)),
  findByIds: reading((db, ids: readonly string[]) => queries.findByIds(db, ids)),
  removedByIds: reading((db, ids: readonly string[]) => queries.removedByIds(db, ids)),
  floors: reading((db) => queries.floorRows(db)),
  removedAfter: reading((db, after: string, limit: number) =>
    queries.removedAfter(db, after, limit),
  ),
  countFrozen: reading((db) => queries.countFrozen(db)),
  frozenMinutes: reading((db, after: number, limit: number) =>
    inSnapshot(db, () => frozenMinutes(db, after, limit)),
  ),
  removablePart: reading((db, cut: SequenceCut, after: number, limit: number) =>
    removablePart(db, cut, after, limit),
  ),
  minutesLosing: reading((db, from: number, to: number, sequence: number) =>
    minutesLosing(db, from, to, sequence),
  ),
  newestEntry: reading((db) => queries.newestEntry(db)),
  findEvents: reading((db, query: ListQuery) => findEvents(db, query)),
  aggregateEvents: reading((db, query: AggregateQuery) => aggregateEvents(db, query)),
  conflicts: reading((db, limit: number) => queries.conflictRows(db, limit)),
  unreadableEntries: reading((db, limit: number) => queries.unreadableRows(db, limit)),
  positions: reading((db) => queries.positionRows(db)),
  countedMinutes: reading((db, end: number) => queries.countedMinuteRows(db, end)),
  access: reading(readAccess),
  storedValue: reading((db, key: string) => queries.storedValue(db, key)),
  minuteStretches: reading((db, events: number) => minuteStretches(db, events)),
  differences: reading((db, from: number, to: number) =>
    inSnapshot(db, () => differencesOf(db, from, to)),
  ),
  /** Beside the writer, which goes on meanwhile: only what it adds is left for its own. */
  checkpoint: () => {
    writable ??= open({ readOnly: false, cacheKib: 256 });
    try {
      checkpoint(writable);
    } catch (reason) {
      writable.close();
      writable = undefined;
      throw reason;
    }
  },
  close: () => {
    writable?.close();
    database?.close();
  },
};

export type ReaderProcedures = typeof procedures;

/** Every call waits for it, and must not wait behind other people's listings. */
serveThread(procedures, new Set(['access']));
