import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventLog } from '../../src/log/event-log.ts';
import { openSqliteLog } from '../../src/log/sqlite/sqlite-log.ts';
import type { EventStore } from '../../src/store/event-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { openBeside } from './open-beside.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface SqlitePair {
  readonly log: EventLog;
  /** In a file of its own, with the log's identity: what is in the log is not in it before somebody records it. */
  readonly store: EventStore;
  /** Runs SQL on the store's file from beside. */
  damageStore(sql: string): void;
  /** Closes both and removes the files. */
  remove(): Promise<void>;
}

/** A log and a store that are two, as servers are. */
export async function openSqlitePair(): Promise<SqlitePair> {
  const folder = temporaryFolder();
  const [logFile, storeFile] = [join(folder.path, 'log.db'), join(folder.path, 'store.db')];
  await (await openSqliteLog(`sqlite:${logFile}`, { exclusive: true })).close();
  copyFileSync(logFile, storeFile);
  const log = await openSqliteLog(`sqlite:${logFile}`, { exclusive: true });
  const store = await openSqliteStore(`sqlite:${storeFile}`, { exclusive: true });
  return {
    log,
    store,
    damageStore: (sql) => {
      const database = openBeside(storeFile);
      database.exec(sql);
      database.close();
    },
    remove: async () => {
      await Promise.all([log.close(), store.close()]);
      folder.remove();
    },
  };
}
