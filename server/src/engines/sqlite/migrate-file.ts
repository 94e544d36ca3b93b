import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { HubError } from '../../base/errors.ts';
import { type MigrationPlan, type MigrationStep, stepsAfter } from '../../base/migration.ts';
import { lockFile } from './file-lock.ts';
import { freeBytes } from './free-space.ts';
import { openDatabase, versionOf } from './open-database.ts';
import * as schema from './schema.ts';

export interface MigrateOptions {
  /** The hub's own when absent. */
  readonly migrations?: readonly schema.SqliteMigration[];
  readonly onBegin?: (step: MigrationStep) => void;
}

const cacheKib = 16 * 1024;
const advice = 'name another file with EVENT_HUB_LOG or --store';

/** What brings the file up to date; changes nothing in it. */
export function planFile(
  file: string,
  { migrations = schema.migrations }: Pick<MigrateOptions, 'migrations'> = {},
): MigrationPlan {
  const plan = { place: `sqlite:${file}`, neededVersion: migrations.length, backup: backUp(file) };
  if (!existsSync(file)) {
    const nothing = { version: undefined, steps: [], events: 0, sizeBytes: 0 };
    return { ...plan, ...nothing, freeBytes: undefined, obstacle: undefined };
  }
  const database = openDatabase(file, {
    create: false,
    readOnly: true,
    cacheKib,
    advice,
    migrations,
  });
  try {
    const version = versionOf(database);
    return {
      ...plan,
      version,
      steps: stepsAfter(version, migrations),
      events: version === 0 ? 0 : countEvents(database),
      sizeBytes: sizeOf(file) + sizeOf(`${file}-wal`),
      freeBytes: freeBytes(dirname(file)),
      obstacle: obstacleOf(file),
    };
  } finally {
    database.close();
  }
}

/** Throws `conflict` while a hub runs on the file, and for one that is not a hub's; `not_found` where there is none. */
export function migrateFile(
  file: string,
  { migrations = schema.migrations, onBegin }: MigrateOptions = {},
): readonly MigrationStep[] {
  // What must not be changed is refused before a lock is left beside it.
  const options = { cacheKib, advice, migrations };
  openDatabase(file, { ...options, create: false, readOnly: true }).close();
  const unlock = lockFile(file);
  try {
    const steps: MigrationStep[] = [];
    const onMigrated = (step: MigrationStep) => steps.push(step);
    openDatabase(file, { ...options, create: true, readOnly: false, onBegin, onMigrated }).close();
    return steps;
  } finally {
    unlock();
  }
}

function countEvents(database: DatabaseSync): number {
  return Number(database.prepare('SELECT count(*) AS events FROM events').get()?.events);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function obstacleOf(file: string): string | undefined {
  try {
    lockFile(file)();
    return undefined;
  } catch (reason) {
    if (reason instanceof HubError && reason.code === 'conflict') {
      return 'a hub runs on the file: stop it first';
    }
    return HubError.from(reason).message;
  }
}

function backUp(file: string): string {
  return `event-hub backup --to FILE --log sqlite:${file}`;
}
