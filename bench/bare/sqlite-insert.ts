import { DatabaseSync } from 'node:sqlite';
import { migrations } from '../../server/src/engines/sqlite/schema.ts';
import { createTraffic } from '../load/traffic.ts';

/**
 * The bare limit of a batch: `node:sqlite` inserting rows that are already
 * parsed into the hub's schema, in bulk. `{ file, events, batchEvents, seed }`
 * in, `{ perSecond }` out.
 */
process.on('message', (message) => {
  const { file, events, batchEvents, seed } = message as {
    readonly file: string;
    readonly events: number;
    readonly batchEvents: number;
    readonly seed: number;
  };
  const traffic = createTraffic(seed, Date.now() - events);
  const rows = Array.from({ length: events }, () => {
    const event = traffic.next();
    const timestamp = Date.parse(event.timestamp);
    return { ...event, amount: BigInt(Math.round(event.amount * 1_000_000)), timestamp };
  });
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -49152');
  database.exec(migrations[0]?.sql ?? '');
  const insert = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const startedMs = performance.now();
  for (let start = 0; start < rows.length; start += batchEvents) {
    database.exec('BEGIN IMMEDIATE');
    for (let index = start; index < Math.min(start + batchEvents, rows.length); index += 1) {
      const row = rows[index];
      if (row === undefined) break;
      const { id, user_id, event_type, amount, currency, timestamp } = row;
      insert.run(index + 1, id, user_id, event_type, amount, currency, timestamp, timestamp, null);
    }
    database.exec('COMMIT');
  }
  const perSecond = events / ((performance.now() - startedMs) / 1_000);
  database.close();
  process.send?.({ perSecond });
});
process.send?.({});
process.on('SIGTERM', () => process.exit(0));
