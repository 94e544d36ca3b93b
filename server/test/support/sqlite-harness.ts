import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { EventLog } from '../../src/log/event-log.ts';
import { openSqliteLog } from '../../src/log/sqlite/sqlite-log.ts';
import type { LogHarness } from '../log/event-log.suite.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A SQLite log in a folder of its own. */
export async function sqliteLogHarness(
  decorate: (log: EventLog) => EventLog = (log) => log,
): Promise<LogHarness> {
  const folder = temporaryFolder();
  const file = join(folder.path, 'hub.db');
  return {
    open: async () => decorate(await openSqliteLog(`sqlite:${file}`, { exclusive: true })),
    replace: async () => rmSync(file),
    destroy: async () => folder.remove(),
  };
}
