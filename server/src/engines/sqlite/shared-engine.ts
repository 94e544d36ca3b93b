import { fileOf, SqliteEngine, type SqliteEngineOptions } from './sqlite-engine.ts';

interface Shared {
  readonly engine: Promise<SqliteEngine>;
  users: number;
}

const shared = new Map<string, Shared>();

/**
 * One engine per file and process: the log and the store of the embedded mode
 * are two views of it. The last one to close closes it.
 */
export async function acquireSqliteEngine(options: SqliteEngineOptions): Promise<SqliteEngine> {
  const file = fileOf(options.url);
  let entry = shared.get(file);
  if (entry === undefined) {
    entry = { engine: SqliteEngine.open(options), users: 0 };
    shared.set(file, entry);
  }
  entry.users += 1;
  try {
    return await entry.engine;
  } catch (reason) {
    shared.delete(file);
    throw reason;
  }
}

export async function releaseSqliteEngine(engine: SqliteEngine): Promise<void> {
  const entry = shared.get(engine.file);
  if (entry === undefined) return;
  entry.users -= 1;
  if (entry.users > 0) return;
  shared.delete(engine.file);
  await engine.close();
}
