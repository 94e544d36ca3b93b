import { Backoff } from '../base/backoff.ts';
import type { Clock, Instant } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import type { Tracing } from '../base/tracing.ts';
import { eventToJson } from '../event/event-json.ts';
import { ownPlacesOf } from '../log/cursor.ts';
import type { EventLog, LogEntry, Position, UnreadableEntry } from '../log/event-log.ts';
import { type EventStore, type Lease, leasePrefixes, type Recorded } from '../store/event-store.ts';
import type { LogBatch } from './batch-queue.ts';
import { assertStoreContinues } from './continuity.ts';
import type { Projection } from './projection.ts';

export interface ArchiveDeps {
  readonly log: EventLog;
  readonly store: EventStore;
  readonly shard: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined where nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

/** Entries by what became of them, since this process began. */
export interface ArchiveCounts {
  recorded: number;
  duplicates: number;
  conflicts: number;
  unreadable: number;
}

/** Whoever holds it is the one that archives the shard. */
export function archiveLease(shard: string): string {
  return `${leasePrefixes.archive}${shard}`;
}

/** Keeps what the log holds in the store, counted once. */
export class Archive implements Projection {
  readonly name: string;
  readonly shard: string;
  readonly counts: ArchiveCounts = { recorded: 0, duplicates: 0, conflicts: 0, unreadable: 0 };
  readonly #deps: ArchiveDeps;
  #position: Position | undefined;
  #appliedAt: Instant | undefined;

  constructor(deps: ArchiveDeps) {
    this.#deps = deps;
    this.name = archiveLease(deps.shard);
    this.shard = deps.shard;
  }

  /** Up to where the shard is archived, as far as this process knows. */
  get archived(): Position | undefined {
    return this.#position;
  }

  /** When something was archived last by this process. */
  get appliedAt(): Instant | undefined {
    return this.#appliedAt;
  }

  async position(): Promise<Position | undefined> {
    const { log, store, shard } = this.#deps;
    this.#position = await assertStoreContinues(log, store, shard);
    return this.#position;
  }

  async apply(batch: LogBatch, lease: Lease): Promise<void> {
    await this.#record(itemsOf(batch), lease);
    this.#appliedAt = this.#deps.clock.now();
  }

  /** Lets the log forget what is archived. */
  async tend(): Promise<void> {
    const { log, logger } = this.#deps;
    if (this.#position === undefined) return;
    try {
      await log.trim(this.#position);
    } catch (reason) {
      logger.warn({ err: reason }, 'what is archived could not be removed from the log');
    }
  }

  /** What fails for its own sake is halved until it is one entry, and that one put aside. */
  async #record(items: readonly Item[], lease: Lease): Promise<void> {
    try {
      await this.#recordOnce(items, lease);
      return;
    } catch (reason) {
      if (isEngineFault(reason)) throw reason;
      if (items.length === 1 && items[0] !== undefined) {
        await this.#recordPoison(items[0], lease, reason);
        return;
      }
    }
    const half = Math.ceil(items.length / 2);
    await this.#record(items.slice(0, half), lease);
    await this.#record(items.slice(half), lease);
  }

  async #recordOnce(items: readonly Item[], lease: Lease): Promise<void> {
    const entries = items.filter(isEntry);
    const unreadable = items.filter((item): item is UnreadableEntry => !isEntry(item));
    const { log, store, shard } = this.#deps;
    const span = this.#deps.tracing?.process(entries);
    let recorded: Recorded;
    try {
      recorded = await store.record(shard, entries, { unreadable, lease, isOwn: ownPlacesOf(log) });
    } catch (reason) {
      span?.end(HubError.from(reason).code);
      throw reason;
    }
    span?.end();
    this.counts.recorded += recorded.added;
    this.counts.duplicates += recorded.duplicates;
    this.counts.conflicts += recorded.conflicts;
    this.counts.unreadable += unreadable.length;
    this.#position = items.at(-1)?.position ?? this.#position;
  }

  async #recordPoison(item: Item, lease: Lease, reason: unknown): Promise<void> {
    const { clock, store, logger } = this.#deps;
    const backoff = new Backoff(limits.retryFirstMs, limits.retryMaxMs);
    let last = reason;
    for (let tries = 1; tries < limits.poisonTries; tries += 1) {
      await clock.sleep(backoff.next());
      try {
        await this.#recordOnce([item], lease);
        return;
      } catch (again) {
        if (isEngineFault(again)) throw again;
        last = again;
      }
    }
    // A store that works for nothing at all has no poisonous entry.
    await store.check();
    if (!isEntry(item)) throw unusable(last);
    const aside = asUnreadable(item, last);
    logger.error({ err: last, position: item.position }, 'an entry cannot be stored: put aside');
    await this.#recordOnce([aside], lease).catch((again) => {
      throw isEngineFault(again) ? again : unusable(again);
    });
  }
}

type Item = LogEntry | UnreadableEntry;

/** In log order. */
function itemsOf({ entries, unreadable }: LogBatch): readonly Item[] {
  if (unreadable.length === 0) return entries;
  return [...entries, ...unreadable].sort((a, b) => (a.position < b.position ? -1 : 1));
}

function isEntry(item: Item): item is LogEntry {
  return 'event' in item;
}

/** Not the entries' fault: the store or the lease is gone, or the log is not the store's. */
function isEngineFault(reason: unknown): boolean {
  const { code } = HubError.from(reason);
  return code !== 'internal' && code !== 'invalid' && code !== 'too_large';
}

function asUnreadable({ shard, position, event }: LogEntry, reason: unknown): UnreadableEntry {
  const { message, cause } = HubError.from(reason);
  const why = cause === undefined ? message : String(cause).split('\n', 1)[0];
  return {
    shard,
    position,
    reason: `could not be stored: ${why}`,
    raw: eventToJson(event, position),
  };
}

function unusable(cause: unknown): HubError {
  return new HubError('unavailable', 'the store takes nothing', { retryAfterS: 2, cause });
}
