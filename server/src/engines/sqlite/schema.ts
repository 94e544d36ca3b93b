import type { Migration } from '../../base/migration.ts';

export interface SqliteMigration extends Migration {
  readonly sql: string;
}

/**
 * The one file of the embedded mode. Each migration takes the file from its
 * index to the next version, and its SQL is never edited after a release.
 *
 * `events.position` is the log's sequence: dense, ascending, never used twice.
 * Retention takes events away from its beginning, and never the newest: the next
 * sequence is always the one after the newest event's.
 * Totals are kept as `high * 10^9 + low` millionths, so that no sum of amounts
 * can overflow a 64-bit integer. `first_position` and `last_position` bound the
 * part of the log in which a minute's events lie.
 */
export const migrations: readonly SqliteMigration[] = [
  {
    description: 'makes the tables for events, counts, positions and what is put aside',
    cost: 'no events',
    sql: `
  CREATE TABLE hub (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    metadata TEXT
  ) STRICT;
  CREATE INDEX events_by_timestamp ON events (timestamp);
  CREATE INDEX events_by_user ON events (user_id, timestamp);
  CREATE INDEX events_by_type ON events (event_type);

  CREATE TABLE minute_counts (
    minute INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    currency TEXT NOT NULL,
    event_count INTEGER NOT NULL,
    total_high INTEGER NOT NULL,
    total_low INTEGER NOT NULL,
    first_position INTEGER NOT NULL,
    last_position INTEGER NOT NULL,
    PRIMARY KEY (minute, event_type, currency)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE counted_minutes (
    minute INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    currency TEXT NOT NULL,
    event_count INTEGER NOT NULL,
    late_count INTEGER NOT NULL,
    total_high INTEGER NOT NULL,
    total_low INTEGER NOT NULL,
    PRIMARY KEY (minute, event_type, currency)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE positions (
    shard TEXT PRIMARY KEY,
    position TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE conflicts (
    shard TEXT NOT NULL,
    position TEXT NOT NULL,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    metadata TEXT,
    PRIMARY KEY (shard, position)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE unreadable_entries (
    shard TEXT NOT NULL,
    position TEXT NOT NULL,
    reason TEXT NOT NULL,
    raw TEXT NOT NULL,
    PRIMARY KEY (shard, position)
  ) STRICT, WITHOUT ROWID;
  `,
  },
  {
    description: 'adds the table api_keys, for API keys',
    cost: 'no events',
    sql: `
  CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    event_types TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER
  ) STRICT, WITHOUT ROWID;
  `,
  },
  {
    // What stays of the events that retention removed, the minutes whose counts their events no longer
    // give, what of these counts another hub's removed events are, and by shard the newest event that
    // was removed. What another hub removed has the position 0.
    description:
      'adds the tables removed_events, frozen_minutes, kept_counts and floors, for retention',
    cost: 'no events',
    sql: `
  CREATE TABLE removed_events (
    id TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    received_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE frozen_minutes (
    minute INTEGER PRIMARY KEY
  ) STRICT;

  CREATE TABLE kept_counts (
    minute INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    currency TEXT NOT NULL,
    event_count INTEGER NOT NULL,
    total_high INTEGER NOT NULL,
    total_low INTEGER NOT NULL,
    PRIMARY KEY (minute, event_type, currency)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE floors (
    shard TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    removed_events INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  },
];

/** The first that knows retention. */
export const retentionVersion = 3;

/** "EvHu", in the file's header: the mark of the hub. */
export const applicationId = 0x45764875;

/** The base of `total_high`. */
export const totalBase = 1_000_000_000n;
