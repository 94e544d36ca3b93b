import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { type MigrationPlan, type MigrationStep, stepsAfter } from '../../base/migration.ts';
import { type Mark, readMark } from './mark.ts';
import { isInUse, migrateDatabase } from './migrate-database.ts';
import { migrations as hubMigrations, type MongoMigration } from './migrations.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { withConnection } from './mongo-upkeep.ts';
import {
  assertNotNewer,
  assertTransactions,
  foreignCollections,
  foreignRefusal,
} from './prepare-database.ts';

export interface MigrateOptions {
  /** The hub's own when absent. */
  readonly migrations?: readonly MongoMigration[];
  readonly onBegin?: (step: MigrationStep) => void;
}

/** What brings the database up to date; changes nothing. */
export async function planMongoMigration(
  url: string,
  { migrations = hubMigrations }: Pick<MigrateOptions, 'migrations'> = {},
): Promise<MigrationPlan> {
  return await withConnection(url, assertTransactions, async (connection) => {
    const mark = await hubMark(connection, migrations);
    const { place } = connection;
    const version = mark?.schema_version;
    return {
      place: `mongodb://${place}`,
      version,
      neededVersion: migrations.length,
      steps: version === undefined ? [] : stepsAfter(version, migrations),
      ...(await measure(connection)),
      obstacle: (await isBarred(connection, version, migrations)) ? stopHubs : undefined,
      backup: `mongodump --uri mongodb://${place} --out FOLDER`,
    };
  });
}

export async function migrateMongo(
  url: string,
  { migrations = hubMigrations, onBegin }: MigrateOptions = {},
): Promise<readonly MigrationStep[]> {
  return await withConnection(url, assertTransactions, async (connection) => {
    const { collections, place } = connection;
    const mark = await hubMark(connection, migrations);
    if (mark === undefined) {
      throw new HubError('not_found', `there is no hub in the database at ${place}`);
    }
    if (await isBarred(connection, mark.schema_version, migrations)) {
      throw new HubError('conflict', `the database at ${place}: ${stopHubs}`);
    }
    collections.order.field = mark.listed_by ?? 'position';
    const done: MigrationStep[] = [];
    await migrateDatabase(connection, mark, {
      migrations,
      onBegin,
      onDone: (step) => done.push(step),
    });
    return done;
  });
}

const stopHubs = `a hub runs on it, which must not go on meanwhile: stop it first (one that was killed counts as running for ${Math.ceil(limits.mongoProcessTtlMs / 1_000)} s)`;

/** Undefined where there is nothing. */
async function hubMark(
  connection: MongoConnection,
  migrations: readonly MongoMigration[],
): Promise<Mark | undefined> {
  const mark = await readMark(connection);
  if (mark !== undefined) assertNotNewer(connection, mark, migrations);
  else {
    const found = await foreignCollections(connection);
    if (found.length > 0) throw foreignRefusal(connection.place, found);
  }
  return mark;
}

async function isBarred(
  connection: MongoConnection,
  version: number | undefined,
  migrations: readonly MongoMigration[],
): Promise<boolean> {
  const pending = version === undefined ? [] : migrations.slice(version);
  if (pending.every(({ besideOlderHubs }) => besideOlderHubs)) return false;
  return await isInUse(connection);
}

async function measure({ database, collections }: MongoConnection) {
  const stats = await database.command({ dbStats: 1 });
  const { storageSize, indexSize, fsTotalSize, fsUsedSize } = stats;
  return {
    events: await collections.events.estimatedDocumentCount(),
    sizeBytes: Number(storageSize) + Number(indexSize),
    // A cluster of several servers does not say it as one number.
    freeBytes: fsTotalSize === undefined ? undefined : Number(fsTotalSize) - Number(fsUsedSize),
  };
}
