import { HubError } from '../../base/errors.ts';
import { type MigrationStep, stepsAfter } from '../../base/migration.ts';
import { isLeaseOfWork, liveLeases } from './leases.ts';
import { type Mark, readMark } from './mark.ts';
import type { MongoMigration } from './migrations.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { unavailable } from './mongo-fault.ts';

export interface MigrateDatabaseOptions {
  readonly migrations: readonly MongoMigration[];
  readonly onBegin?: ((step: MigrationStep) => void) | undefined;
  /** Only of the steps that no other process was done with first. */
  readonly onDone: (step: MigrationStep) => void;
}

/**
 * Does the steps that the database still needs, and moves the version in its
 * mark after each by compare-and-set: of several processes that do one at once,
 * all go on from it and one says so. What breaks off goes on from the same step.
 * Rejects with `unavailable`, to be tried again, while hubs run on it that a
 * step must not be done under.
 */
export async function migrateDatabase(
  connection: MongoConnection,
  found: Mark,
  { migrations, onBegin, onDone }: MigrateDatabaseOptions,
): Promise<Mark> {
  let mark = found;
  for (;;) {
    const version = mark.schema_version;
    const migration = migrations[version];
    const [step] = stepsAfter(version, migrations);
    if (migration === undefined || step === undefined) return mark;
    const isClear = migration.besideOlderHubs || !(await isInUse(connection));
    const before = isClear ? mark : await markOf(connection, mark);
    if (before.schema_version === version) {
      if (!isClear) throw inUse(connection, step);
      onBegin?.(step);
      await migration.apply(connection);
      if (await moveVersion(connection, mark, step)) onDone(step);
    }
    mark = await markOf(connection, mark);
  }
}

/** A hub, or a command that does a hub's work. One that was killed counts for a while. */
export async function isInUse({ collections }: MongoConnection): Promise<boolean> {
  return (await liveLeases(collections)).some(isLeaseOfWork);
}

async function moveVersion(
  { collections }: MongoConnection,
  { identity }: Mark,
  { version }: MigrationStep,
): Promise<boolean> {
  const moved = await collections.hub.updateOne(
    { _id: 'mark', identity, schema_version: version - 1 },
    { $set: { schema_version: version } },
  );
  return moved.modifiedCount === 1;
}

/** As it is now, of the same database. */
async function markOf(connection: MongoConnection, { identity }: Mark): Promise<Mark> {
  const mark = await readMark(connection);
  if (mark?.identity === identity) return mark;
  throw unavailable(
    `the database at ${connection.place} was emptied or replaced while it was brought up to date`,
  );
}

function inUse({ place }: MongoConnection, { version, description }: MigrationStep): HubError {
  return new HubError(
    'unavailable',
    `hubs of an older version run on the database at ${place}, which is brought to version ${version} when they have stopped (it ${description})`,
    { retryAfterS: 2 },
  );
}
