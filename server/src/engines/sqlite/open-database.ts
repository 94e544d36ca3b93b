import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { HubError } from '../../base/errors.ts';
import { applicationId, migrations, schemaVersion } from './schema.ts';

/** The oldest SQLite without the WAL-reset corruption, sqlite.org/wal.html#walresetbug. */
const sqliteVersionMin = [3, 51, 3] as const;

export interface OpenOptions {
  /** Make the file when there is none. */
  readonly create: boolean;
  readonly readOnly: boolean;
  /** Pages of cache, in KiB. */
  readonly cacheKib: number;
  /** What to do about a file that is no hub's; when absent, to choose another with EVENT_HUB_LOG. */
  readonly advice?: string;
}

const otherFile = 'choose another with EVENT_HUB_LOG=sqlite:OTHER.db';

/**
 * Opens the hub's file at the promised durability: WAL and `synchronous=FULL`,
 * read back. A file that is not the hub's, or is from a newer hub, is refused
 * before anything in it changes.
 */
export function openDatabase(file: string, options: OpenOptions): DatabaseSync {
  assertSqliteVersion();
  const isNew = !existsSync(file) || statSync(file).size === 0;
  if (isNew && !options.create) {
    throw new HubError(
      'not_found',
      `there is no hub at ${file}: ${options.advice ?? 'start one with `event-hub serve`'}`,
    );
  }
  if (isNew) mkdirSync(dirname(file), { recursive: true });
  else inspect(file, options.advice ?? otherFile);
  const database = new DatabaseSync(file, { readOnly: options.readOnly });
  try {
    database.exec(`
      PRAGMA busy_timeout = 5000;
      PRAGMA trusted_schema = OFF;
      PRAGMA mmap_size = 0;
      PRAGMA cache_size = -${options.cacheKib};
      PRAGMA temp_store = MEMORY;
    `);
    if (!options.readOnly) prepareForWriting(database, options.create);
    return database;
  } catch (reason) {
    database.close();
    throw reason;
  }
}

function prepareForWriting(database: DatabaseSync, mayMigrate: boolean): void {
  // fullfsync matters on macOS, where fsync alone does not reach the disk.
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA journal_size_limit = 67108864;
  `);
  if (mayMigrate) migrate(database);
  else assertCurrent(database);
  if (pragma(database, 'journal_mode') !== 'wal' || pragma(database, 'synchronous') !== 2) {
    throw new HubError(
      'unavailable',
      'SQLite does not keep WAL with synchronous=FULL here: the folder may be on a network file system; use a local disk',
    );
  }
}

/** Looks at a file without changing anything. */
function inspect(file: string, advice: string): void {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(undisturbed(file), { readOnly: true });
    const mark = pragma(database, 'application_id');
    const version = pragma(database, 'user_version');
    // A hub that died while it made its file leaves an empty one.
    const tables = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get();
    if (mark === 0 && tables?.tables === 0) return;
    if (mark !== applicationId) {
      throw new HubError('conflict', `${file} is not a hub's file: ${advice}`);
    }
    if (typeof version === 'number' && version > schemaVersion) {
      throw new HubError(
        'conflict',
        `${file} is from a newer hub (its version is ${version}, this hub knows ${schemaVersion}): run that hub; nothing was changed`,
      );
    }
  } catch (reason) {
    if (reason instanceof HubError) throw reason;
    throw new HubError('conflict', `${file} cannot be read as a hub's file: ${advice}`, {
      cause: reason,
    });
  } finally {
    database?.close();
  }
}

/**
 * Without a write-ahead log the file alone tells everything, and SQLite is told
 * that it does not change: else it would leave empty files beside a file that
 * may be another program's.
 */
export function undisturbed(file: string): string | URL {
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
  if (log !== undefined && log.size > 0) return file;
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  return url;
}

/** A command beside a running hub never changes the tables under it. */
function assertCurrent(database: DatabaseSync): void {
  const version = Number(pragma(database, 'user_version'));
  if (version === schemaVersion) return;
  throw new HubError(
    'conflict',
    `the file is from an older hub (its version is ${version}, this hub's ${schemaVersion}): start this hub on it once, which brings it up to date`,
  );
}

/** One transaction for the mark, the tables and the log's identity: a file is the hub's whole or not at all. */
export function migrate(database: DatabaseSync): void {
  const version = Number(pragma(database, 'user_version'));
  if (version === schemaVersion) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const migration of migrations.slice(version)) database.exec(migration);
    database
      .prepare("INSERT INTO hub (key, value) VALUES ('log_id', ?) ON CONFLICT DO NOTHING")
      .run(newLogId());
    database.exec(`PRAGMA application_id = ${applicationId}`);
    database.exec(`PRAGMA user_version = ${schemaVersion}`);
    database.exec('COMMIT');
  } catch (reason) {
    database.exec('ROLLBACK');
    throw reason;
  }
}

export function pragma(database: DatabaseSync, name: string): unknown {
  const row = database.prepare(`PRAGMA ${name}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}

/** Copies as much of the write-ahead log into the file as nobody uses, without waiting for anybody. */
export function checkpoint(database: DatabaseSync): void {
  database.prepare('PRAGMA wal_checkpoint(PASSIVE)').all();
}

/** Gives a copy an identity of its own: no position of the log that it was copied from is one of it. */
export function renewLogId(database: DatabaseSync): void {
  database.prepare("UPDATE hub SET value = ? WHERE key = 'log_id'").run(newLogId());
}

function newLogId(): string {
  return randomBytes(4).toString('hex');
}

export function readLogId(database: DatabaseSync): string {
  const row = database.prepare("SELECT value FROM hub WHERE key = 'log_id'").get();
  return String(row?.value);
}

function assertSqliteVersion(): void {
  const version = process.versions.sqlite ?? '0';
  const parts = version.split('.').map(Number);
  for (const [index, wanted] of sqliteVersionMin.entries()) {
    const part = parts[index] ?? 0;
    if (part > wanted) return;
    if (part < wanted) {
      throw new HubError(
        'unavailable',
        `this Node.js brings SQLite ${version}, which can damage a WAL file: use Node.js 24.17 or newer`,
      );
    }
  }
}
