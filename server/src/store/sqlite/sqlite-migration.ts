import type { MigrationPlan, MigrationStep } from '../../base/migration.ts';
import { type MigrateOptions, migrateFile, planFile } from '../../engines/sqlite/migrate-file.ts';
import { fileOf } from '../../engines/sqlite/sqlite-engine.ts';

export function planSqliteMigration(
  url: string,
  options?: Pick<MigrateOptions, 'migrations'>,
): MigrationPlan {
  return planFile(fileOf(url), options);
}

export function migrateSqlite(url: string, options?: MigrateOptions): readonly MigrationStep[] {
  return migrateFile(fileOf(url), options);
}
