import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { applicationId, migrations } from '../../src/engines/sqlite/schema.ts';

/** A stopped hub's file as the very first version made it, with the event `old`, by the SQL of that version. */
export function makeOldestFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file);
  const at = Date.UTC(2026, 0, 31, 12);
  database.exec(`
    PRAGMA journal_mode = WAL;
    ${migrations[0]?.sql}
    INSERT INTO hub VALUES ('log_id', '01234567');
    INSERT INTO events VALUES (1, 'old', 'u1', 'purchase', 1500000, 'EUR', ${at}, ${at}, NULL);
    INSERT INTO minute_counts VALUES (${at}, 'purchase', 'EUR', 1, 0, 1500000, 1, 1);
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = 1;
  `);
  database.close();
}
