import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { MigrationStep } from '../../src/base/migration.ts';
import { lockFile } from '../../src/engines/sqlite/file-lock.ts';
import { migrateFile, planFile } from '../../src/engines/sqlite/migrate-file.ts';
import { openDatabase } from '../../src/engines/sqlite/open-database.ts';
import { migrations, type SqliteMigration } from '../../src/engines/sqlite/schema.ts';
import { openSqliteLog } from '../../src/log/sqlite/sqlite-log.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { someEvents } from '../support/build-event.ts';
import { makeOldestFile } from '../support/oldest-file.ts';
import { openBeside } from '../support/open-beside.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';
import { type LaterStep, type MigrationHarness, migrationSuite } from './migration.suite.ts';

migrationSuite('of a SQLite file', async () => sqliteHarness(temporaryFolder()));

function sqliteHarness(folder: TemporaryFolder): MigrationHarness {
  const file = join(folder.path, 'hub.db');
  const url = `sqlite:${file}`;
  return {
    place: url,
    make: async (events) => {
      const log = await openSqliteLog(url, { exclusive: true });
      await log.append([{ events: someEvents(events), atomic: false }]);
      await log.close();
    },
    plan: async (later) => planFile(file, { migrations: withLater(later) }),
    migrate: async (later, onBegin = () => undefined) =>
      migrateFile(file, { migrations: withLater(later), onBegin }),
    open: async (later, { allowed } = { allowed: true }) => {
      const said: string[] = [];
      const unlock = lockFile(file);
      try {
        openDatabase(file, {
          create: true,
          readOnly: false,
          cacheKib: 1024,
          keepVersion: !allowed,
          onMigrated: ({ description }) => said.push(description),
          migrations: withLater(later),
        }).close();
        return said;
      } finally {
        unlock();
      }
    },
    besideHub: async (work) => {
      const log = await openSqliteLog(url, { exclusive: true });
      try {
        return await work();
      } finally {
        await log.close();
      }
    },
    added: async () => {
      const database = openBeside(file, { readOnly: true });
      const names = database
        .prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'later%' ORDER BY name")
        .all();
      database.close();
      return names.map(({ name }) => String(name));
    },
    destroy: async () => folder.remove(),
  };
}

function withLater(later: readonly LaterStep[]): readonly SqliteMigration[] {
  const added = later.map(({ name, cost, isBroken = false }) => ({
    description: `adds ${name}`,
    cost,
    sql: `CREATE TABLE ${name} (id TEXT) STRICT; ${isBroken ? 'SELECT nothing FROM nowhere' : ''}`,
  }));
  return [...migrations, ...added];
}

it('the SQL of a version that was published is as it was', () => {
  const digests = migrations
    .slice(0, 2)
    .map(({ sql }) => createHash('sha256').update(sql).digest('hex').slice(0, 16));
  expect(digests).toEqual(['d9b30442b3f52f3a', '14632ff494e36ce9']);
});

it('a file of the oldest version keeps its events and serves like any other', async () => {
  const folder = temporaryFolder();
  const file = join(folder.path, 'hub.db');
  makeOldestFile(file);
  const steps = migrateFile(file);
  expect(steps.map(({ version }: MigrationStep) => version)).toEqual(
    migrations.slice(1).map((_, index) => index + 2),
  );
  const options = { exclusive: true } as const;
  const log = await openSqliteLog(`sqlite:${file}`, options);
  const store = await openSqliteStore(`sqlite:${file}`, options);
  expect((await store.get('old'))?.event).toMatchObject({ id: 'old', userId: 'u1' });
  expect(await store.verify()).toEqual([]);
  expect(await store.keys.access()).toMatchObject({ keys: [] });
  const [[appended] = []] = await log.append([{ events: someEvents(1), atomic: false }]);
  expect(appended).toMatchObject({ status: 'accepted' });
  await Promise.all([log.close(), store.close()]);
  folder.remove();
});
