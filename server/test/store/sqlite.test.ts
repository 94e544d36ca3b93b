import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { readLogId } from '../../src/engines/sqlite/open-database.ts';
import { positionOf } from '../../src/engines/sqlite/position.ts';
import type { Event } from '../../src/event/event.ts';
import type { LogEntry } from '../../src/log/event-log.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { someEvents } from '../support/build-event.ts';
import { openBeside } from '../support/open-beside.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { eventStoreSuite, type StoreHarness } from './event-store.suite.ts';
import { keepAsideSuite } from './keep-aside.suite.ts';
import { keyStoreSuite } from './key-store.suite.ts';

async function sqliteStoreHarness(): Promise<StoreHarness> {
  const folder = temporaryFolder();
  const file = join(folder.path, 'hub.db');
  const withDatabase = <T>(use: (database: DatabaseSync) => T): T => {
    const database = openBeside(file);
    try {
      return use(database);
    } finally {
      database.close();
    }
  };
  return {
    open: () => openSqliteStore(`sqlite:${file}`, { exclusive: true }),
    entries: async (events: readonly Event[], first: number) => {
      const logId = withDatabase(readLogId);
      return events.map((event, index) => ({
        shard: '0',
        position: positionOf(first + index, logId, event),
        event,
      }));
    },
    damageCounts: async (minute) => {
      withDatabase((database) =>
        database
          .prepare(`
            UPDATE minute_counts SET total_low = total_low + 1
            WHERE (minute, event_type, currency) =
              (SELECT minute, event_type, currency FROM minute_counts
                WHERE minute = coalesce(?, minute) LIMIT 1)`)
          .run(minute ?? null),
      );
    },
    destroy: async () => folder.remove(),
  };
}

eventStoreSuite('on SQLite', sqliteStoreHarness);
keepAsideSuite('SQLite', sqliteStoreHarness);
keyStoreSuite('on SQLite', sqliteStoreHarness);

describe('the store in a file', () => {
  it('says who may come in before the listings that wait are answered', async () => {
    const harness = await sqliteStoreHarness();
    const store = await harness.open();
    await store.record('0', await harness.entries(someEvents(1_000), 1));
    const order: string[] = [];
    const listings = Array.from({ length: 40 }, async () => {
      await store.find({ filter: {}, order: 'desc', limit: 1_000 });
      order.push('listing');
    });
    const access = store.keys.access().then(() => order.push('access'));
    await Promise.all([...listings, access]);
    expect(order.indexOf('access')).toBeLessThan(order.length - 1);
    await store.close();
    await harness.destroy();
  });

  it('never takes its floor back, also when an entry comes that lies before it', async () => {
    const harness = await sqliteStoreHarness();
    const store = await harness.open();
    const entries = await harness.entries(someEvents(5), 1);
    const [first, skipped, ...rest] = entries as [LogEntry, LogEntry, ...LogEntry[]];
    await store.record('0', [first, ...rest]);
    const cut = { receivedBefore: Date.UTC(2100, 0, 1) };
    await store.removeOldest('0', cut, 2);
    const floors = new Map([['0', rest[0]?.position]]);
    expect(await store.retained()).toMatchObject({ floors, removedEvents: 2 });
    await store.resetPosition('0', undefined);
    expect(await store.record('0', entries)).toMatchObject({ added: 1, duplicates: 4 });
    expect(await store.removeOldest('0', cut, 1)).toMatchObject({ floor: skipped.position });
    expect(await store.retained()).toMatchObject({ floors, removedEvents: 3 });
    await store.close();
    await harness.destroy();
  });
});
