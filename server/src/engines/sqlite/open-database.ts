import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { type MigrationStep, stepsAfter, upgradeRefusal } from '../../base/migration.ts';
import * as schema from './schema.ts';
import { applicationId, type SqliteMigration } from './schema.ts';
import { isBusy } from './sqlite-fault.ts';

/** The oldest SQLite without the WAL-reset corruption, sqlite.org/wal.html#walresetbug. */
const sqliteVersionMin = [3, 51, 3] as const;

export interface OpenOptions {
  /** Make the file when there is none, and bring one of an older hub up to date. */
  readonly create: boolean;
  /** Refuse one of an older hub instead. */
  readonly keepVersion?: boolean;
  /** Told of each step before it is done, and once all are done; not of those that make a file. */
  readonly onBegin?: ((step: MigrationStep) => void) | undefined;
  readonly onMigrated?: (step: MigrationStep) => void;
  /** The hub's own when absent. */
  readonly migrations?: readonly SqliteMigration[];
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
  else inspect(file, options);
  const database = connect(file, options);
  try {
    database.exec(`
      PRAGMA trusted_schema = OFF;
      PRAGMA mmap_size = 0;
      PRAGMA cache_size = -${options.cacheKib};
      PRAGMA temp_store = MEMORY;
    `);
    if (!options.readOnly) prepareForWriting(database, file, options);
    return database;
  } catch (reason) {
    database.close();
    throw isBusy(reason) ? locked(file, reason) : reason;
  }
}

function prepareForWriting(database: DatabaseSync, file: string, options: OpenOptions): void {
  // fullfsync matters on macOS, where fsync alone does not reach the disk.
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA journal_size_limit = 67108864;
  `);
  if (options.create) {
    // Who serves writes all the time, and is told at its start when another one keeps that to itself.
    database.exec('BEGIN IMMEDIATE; COMMIT');
    bringUpToDate(database, file, options);
  } else assertCurrent(database, options);
  if (pragma(database, 'journal_mode') !== 'wal' || pragma(database, 'synchronous') !== 2) {
    throw new HubError(
      'unavailable',
      'SQLite does not keep WAL with synchronous=FULL here: the folder may be on a network file system; use a local disk',
    );
  }
}

/** Looks at a file without changing anything. */
function inspect(
  file: string,
  { advice = otherFile, migrations = schema.migrations }: OpenOptions,
): void {
  let database: DatabaseSync | undefined;
  try {
    database = connectUndisturbing(file);
    const mark = pragma(database, 'application_id');
    const version = pragma(database, 'user_version');
    // A hub that died while it made its file leaves an empty one.
    const tables = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get();
    if (mark === 0 && tables?.tables === 0) return;
    if (mark !== applicationId) {
      throw new HubError('conflict', `${file} is not a hub's file: ${advice}`);
    }
    if (typeof version === 'number' && version > migrations.length) {
      throw new HubError(
        'conflict',
        `${file} is from a newer hub (its version is ${version}, this hub knows ${migrations.length}): run that hub; nothing was changed`,
      );
    }
  } catch (reason) {
    if (reason instanceof HubError) throw reason;
    if (isBusy(reason)) throw locked(file, reason);
    throw new HubError('conflict', `${file} cannot be read as a hub's file: ${advice}`, {
      cause: reason,
    });
  } finally {
    database?.close();
  }
}

function locked(file: string, reason: unknown): HubError {
  return new HubError(
    'unavailable',
    `${file} is locked by another program: stop that one, or try again when it is done`,
    { cause: reason },
  );
}

/**
 * To read a file that may be another program's. Without a write-ahead log the file alone tells
 * everything, and SQLite is told that it does not change: else it would leave empty files beside it.
 */
export function connectUndisturbing(file: string): DatabaseSync {
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
  if (log !== undefined && log.size > 0) return connect(file, { readOnly: true });
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  return connect(url, { readOnly: true });
}

function connect(file: string | URL, { readOnly }: Pick<OpenOptions, 'readOnly'>): DatabaseSync {
  return new DatabaseSync(file, { readOnly, timeout: limits.sqliteBusyMs });
}

/** A command beside a running hub never changes the tables under it. */
function assertCurrent(
  database: DatabaseSync,
  { migrations = schema.migrations }: OpenOptions,
): void {
  const version = versionOf(database);
  if (version === migrations.length) return;
  throw new HubError(
    'conflict',
    `the file is from an older hub (its version is ${version}, this hub's ${migrations.length}): start this hub on it once, which brings it up to date, or run \`event-hub migrate apply\``,
  );
}

function bringUpToDate(
  database: DatabaseSync,
  file: string,
  { keepVersion = false, onBegin, onMigrated, migrations = schema.migrations }: OpenOptions,
): void {
  const version = versionOf(database);
  if (keepVersion && version > 0 && version < migrations.length) {
    throw new HubError('conflict', upgradeRefusal(file, version, migrations.length));
  }
  if (version === 0) migrate(database, { migrations });
  else for (const step of migrate(database, { migrations, onBegin })) onMigrated?.(step);
}

/**
 * One transaction for the mark, the tables and the log's identity: a file is
 * the hub's whole or not at all, and of one version, whenever it breaks off.
 * Answers with the steps done.
 */
export function migrate(
  database: DatabaseSync,
  { migrations = schema.migrations, onBegin }: Pick<OpenOptions, 'migrations' | 'onBegin'> = {},
): readonly MigrationStep[] {
  const steps = stepsAfter(versionOf(database), migrations);
  if (steps.length === 0) return [];
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const step of steps) {
      onBegin?.(step);
      database.exec(migrations[step.version - 1]?.sql ?? '');
    }
    database
      .prepare("INSERT INTO hub (key, value) VALUES ('log_id', ?) ON CONFLICT DO NOTHING")
      .run(newLogId());
    database.exec(`PRAGMA application_id = ${applicationId}`);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
    database.exec('COMMIT');
    return steps;
  } catch (reason) {
    database.exec('ROLLBACK');
    throw reason;
  }
}

export function versionOf(database: DatabaseSync): number {
  return Number(pragma(database, 'user_version'));
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
