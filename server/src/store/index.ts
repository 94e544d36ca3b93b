import type { Clock } from '../base/clock.ts';
import type { Finding } from '../base/finding.ts';
import type { MigrationPlan, MigrationStep, UpgradeOptions } from '../base/migration.ts';
import type { EventStore } from './event-store.ts';

export interface OpenStoreOptions {
  /** As in `OpenLogOptions`. */
  readonly exclusive: boolean;
  /** Caps the size of an embedded file, for tests of a full disk. */
  readonly pageCountMax?: number;
  /** The log beside it has no one order: events are then listed by their time of receipt. */
  readonly isLogSharded?: boolean;
  /** For the hub's own minutes; the system's when absent. An embedded file has the system's always. */
  readonly clock?: Clock;
  /** As in `OpenLogOptions`. */
  readonly upgrade?: UpgradeOptions;
}

/** Opens a store by its URL. Drivers load only when chosen. */
export interface StoreAdapter {
  open(url: string, options: OpenStoreOptions): Promise<EventStore>;
  /** As for a log; nothing where the log with the same URL has said it all. */
  examine(url: string): Promise<readonly Finding[]>;
  /**
   * As for a log; nothing is left to do where the log with the same URL holds the
   * store. `first` is done once it is sure that the store may be emptied, and
   * before it is: when that rejects, nothing is removed.
   */
  erase(url: string, first?: () => Promise<void>): Promise<void>;
  /** What brings the store up to date; changes nothing. Rejects with `conflict` for what is not the hub's or a newer hub's. */
  planMigration(url: string): Promise<MigrationPlan>;
  /**
   * Does it, and answers with the steps done. Rejects with `conflict` where the
   * plan has an obstacle, and with `not_found` where there is no hub.
   */
  migrate(url: string, onBegin: (step: MigrationStep) => void): Promise<readonly MigrationStep[]>;
  /** The log with the same URL that writes this store in its own append, so that no reader has to. */
  readonly recordedByLog?: string;
}

const mongo: StoreAdapter = {
  open: async (url, options) =>
    (await import('./mongo/mongo-store.ts')).openMongoStore(url, options),
  examine: async (url) => (await import('./mongo/mongo-upkeep.ts')).examineMongo(url),
  erase: async (url, first) => (await import('./mongo/mongo-upkeep.ts')).eraseMongo(url, first),
  planMigration: async (url) => (await import('./mongo/migrate-mongo.ts')).planMongoMigration(url),
  migrate: async (url, onBegin) =>
    (await import('./mongo/migrate-mongo.ts')).migrateMongo(url, { onBegin }),
};

/** By the scheme of `EVENT_HUB_STORE`. */
export const storeAdapters = {
  sqlite: {
    open: async (url, options) =>
      (await import('./sqlite/sqlite-store.ts')).openSqliteStore(url, options),
    examine: async () => [],
    erase: async () => undefined,
    planMigration: async (url) =>
      (await import('./sqlite/sqlite-migration.ts')).planSqliteMigration(url),
    migrate: async (url, onBegin) =>
      (await import('./sqlite/sqlite-migration.ts')).migrateSqlite(url, { onBegin }),
    recordedByLog: 'sqlite',
  },
  mongodb: mongo,
  'mongodb+srv': mongo,
} as const satisfies Record<string, StoreAdapter>;
