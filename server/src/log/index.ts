import type { Clock } from '../base/clock.ts';
import type { FileBackups } from '../base/file-backups.ts';
import type { Finding } from '../base/finding.ts';
import type { UpgradeOptions } from '../base/migration.ts';
import type { EventLog } from './event-log.ts';

export interface OpenLogOptions {
  /** Serve from it: hold it and make it when there is none. A command beside a running hub does neither. */
  readonly exclusive: boolean;
  /** Caps the size of an embedded file, for tests of a full disk. */
  readonly pageCountMax?: number;
  /** How long entries stay in a log that is trimmed; an hour when absent. */
  readonly keepMs?: number;
  /** Serve although success would not mean durable, as `check` then says. */
  readonly allowWeakDurability?: boolean;
  /** The system's when absent. */
  readonly clock?: Clock;
  /** Of an engine of an older hub; brought up to date without a word when absent. */
  readonly upgrade?: UpgradeOptions;
}

/** Opens a log by its URL. Drivers load only when chosen. */
export interface LogAdapter {
  open(url: string, options: OpenLogOptions): Promise<EventLog>;
  /** Looks at the engine and its place without changing anything, for `event-hub doctor`. */
  examine(url: string): Promise<readonly Finding[]>;
  /** Removes everything for good. Rejects with `conflict` while a hub runs on it, `not_found` when there is nothing. */
  erase(url: string): Promise<void>;
  /** Of an engine that is one file; a server has means of its own. */
  readonly backups?: () => Promise<FileBackups>;
  /** Its entries have no one order, so that events are listed by their time of receipt. */
  readonly isSharded?: boolean;
}

const redis: LogAdapter = {
  open: async (url, options) => (await import('./redis/redis-log.ts')).openRedisLog(url, options),
  examine: async (url) => (await import('./redis/examine-redis.ts')).examineRedis(url),
  erase: async (url) => (await import('./redis/erase-redis.ts')).eraseRedis(url),
};

const kafka: LogAdapter = {
  open: async (url, options) => (await import('./kafka/kafka-log.ts')).openKafkaLog(url, options),
  examine: async (url) => (await import('./kafka/examine-kafka.ts')).examineKafka(url),
  erase: async (url) => (await import('./kafka/erase-kafka.ts')).eraseKafka(url),
  isSharded: true,
};

/** By the scheme of `EVENT_HUB_LOG`. A new log is one folder, one line here and one short test file. */
export const logAdapters = {
  sqlite: {
    open: async (url, options) =>
      (await import('./sqlite/sqlite-log.ts')).openSqliteLog(url, options),
    examine: async (url) => (await import('./sqlite/sqlite-upkeep.ts')).examineSqlite(url),
    erase: async (url) => (await import('./sqlite/sqlite-upkeep.ts')).eraseSqlite(url),
    backups: async () => (await import('./sqlite/sqlite-upkeep.ts')).sqliteBackups,
  },
  redis,
  rediss: redis,
  kafka,
  kafkas: kafka,
} as const satisfies Record<string, LogAdapter>;
