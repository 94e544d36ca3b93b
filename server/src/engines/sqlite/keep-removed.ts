import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Instant } from '../../base/clock.ts';
import type { FrozenMinute, RemovedRecord, TypeCount } from '../../store/event-store.ts';
import { totalBase } from './schema.ts';

/** The place of what another hub removed: before everything in this log. */
export const beforeLog = 0;

/** No content is known that it could be made of. */
const noFingerprint = '00000000';

/** See `EventStore.keepRemoved`; the answer is the ids that are known otherwise. The caller holds a write transaction. */
export function keepRemoved(
  database: DatabaseSync,
  records: readonly RemovedRecord[],
): readonly string[] {
  const isKnown = database.prepare(`
    SELECT 1 FROM events WHERE id = :id
    UNION ALL SELECT 1 FROM removed_events WHERE id = :id AND position <> ${beforeLog}`);
  const keep = database.prepare(
    'INSERT INTO removed_events VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const known: string[] = [];
  for (const { id, contentHash, timestamp, receivedAt } of records) {
    if (isKnown.get({ id }) !== undefined) known.push(id);
    else keep.run(id, beforeLog, noFingerprint, contentHash, timestamp, receivedAt);
  }
  return known;
}

/** See `EventStore.keepFrozen`. The caller holds a write transaction. */
export function keepFrozen(database: DatabaseSync, minutes: readonly FrozenMinute[]): void {
  const freeze = database.prepare('INSERT INTO frozen_minutes VALUES (?) ON CONFLICT DO NOTHING');
  const counts = new KeptCounts(database);
  for (const { minute, removed } of minutes) {
    freeze.run(minute);
    counts.replace(minute, removed);
  }
}

/** What was counted of another hub's removed events, apart, so that it can be replaced. */
class KeptCounts {
  readonly #kept: StatementSync;
  readonly #forget: StatementSync;
  readonly #keep: StatementSync;
  readonly #add: StatementSync;
  readonly #drop: StatementSync;

  constructor(database: DatabaseSync) {
    this.#kept = database.prepare(`
      SELECT event_type, currency, event_count,
        CAST(total_high AS TEXT) AS high, CAST(total_low AS TEXT) AS low
      FROM kept_counts WHERE minute = ?`);
    this.#forget = database.prepare('DELETE FROM kept_counts WHERE minute = ?');
    this.#keep = database.prepare('INSERT INTO kept_counts VALUES (?, ?, ?, ?, ?, ?)');
    // Of a row that no event of this log is in, the first position is behind the last.
    this.#add = database.prepare(`
      INSERT INTO minute_counts VALUES (?, ?, ?, ?, ?, ?, ${Number.MAX_SAFE_INTEGER}, ${beforeLog})
      ON CONFLICT DO UPDATE SET
        event_count = event_count + excluded.event_count,
        total_high = total_high + excluded.total_high,
        total_low = total_low + excluded.total_low`);
    this.#drop = database.prepare(`
      DELETE FROM minute_counts WHERE minute = ? AND event_count = 0`);
  }

  replace(minute: Instant, removed: readonly TypeCount[]): void {
    for (const { event_type, currency, event_count, high, low } of this.#kept.all(minute)) {
      const total = BigInt(String(high)) * totalBase + BigInt(String(low));
      const [eventType, inCurrency] = [String(event_type), String(currency)];
      this.#count(minute, {
        eventType,
        currency: inCurrency,
        eventCount: -Number(event_count),
        total: -total,
      });
    }
    this.#forget.run(minute);
    for (const count of removed) {
      this.#keep.run(...valuesOf(minute, count));
      this.#count(minute, count);
    }
    this.#drop.run(minute);
  }

  #count(minute: Instant, count: TypeCount): void {
    this.#add.run(...valuesOf(minute, count));
  }
}

function valuesOf(minute: Instant, { eventType, currency, eventCount, total }: TypeCount) {
  return [minute, eventType, currency, eventCount, total / totalBase, total % totalBase] as const;
}
