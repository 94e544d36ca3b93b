import type { Clock, Instant } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { ownPlacesOf } from '../log/cursor.ts';
import type { EventLog } from '../log/event-log.ts';
import {
  type EventStore,
  type Lease,
  leasePrefixes,
  type Removal,
  type RemovalCut,
} from '../store/event-store.ts';
import { giveBackLease } from './give-back-lease.ts';

export interface RemovalDeps {
  readonly log: Pick<EventLog, 'shards' | 'trimmedTo' | 'ownPlace'>;
  readonly store: Pick<EventStore, 'acquireLease' | 'releaseLease' | 'removeOldest'>;
  readonly clock: Clock;
  /** The log writes the store in its own append, and has no entries besides. */
  readonly isEmbedded: boolean;
}

export interface RemovalOptions {
  /** Events that the hub took before this time. */
  readonly receivedBefore: Instant;
  /** Random, one per process. */
  readonly holder: string;
  /** Ends it after the part that is being removed. */
  readonly signal: AbortSignal;
  /** Told of each part, once it is gone. */
  readonly onRemoved: (part: Removal) => void;
}

/**
 * What may go of a shard: only what the log does not hold any more, so that it never
 * gives out what the store has removed. Undefined while the log holds everything.
 */
export async function cutOf(
  { log, isEmbedded }: Pick<RemovalDeps, 'log' | 'isEmbedded'>,
  shard: string,
  receivedBefore: Instant,
): Promise<RemovalCut | undefined> {
  if (isEmbedded) return { receivedBefore };
  const upTo = await log.trimmedTo(shard);
  if (upTo === undefined) return undefined;
  return { receivedBefore, upTo, isOwn: ownPlacesOf(log) };
}

/**
 * Removes what is too old, shard by shard and in small transactions, under the lease of
 * whoever does. After each it rests as long as that took, so that appends and the archive
 * have half of the store's time at least. False while another process is at it.
 */
export async function removeOldEvents(
  deps: RemovalDeps,
  options: RemovalOptions,
): Promise<boolean> {
  const { holder, signal } = options;
  const acquire = () => deps.store.acquireLease(leasePrefixes.retention, holder, limits.leaseTtlMs);
  let lease = await acquire();
  if (lease === undefined) return false;
  // A slow part and the rest after it may outlast the lease: it is taken anew where nobody else has it.
  const renew = async () => {
    const kept = await acquire();
    if (kept === undefined) throw takenOver();
    lease = kept;
    return kept;
  };
  try {
    for (const shard of await deps.log.shards()) {
      if (signal.aborted) break;
      const cut = await cutOf(deps, shard, options.receivedBefore);
      if (cut !== undefined) await removeFrom(deps, options, { shard, cut, renew });
    }
    return true;
  } finally {
    await giveBackLease(deps, lease);
  }
}

interface ShardRemoval {
  readonly shard: string;
  readonly cut: RemovalCut;
  /** Rejects with `conflict` when another process has the lease now. */
  readonly renew: () => Promise<Lease>;
}

async function removeFrom(
  { store, clock }: RemovalDeps,
  { signal, onRemoved }: RemovalOptions,
  { shard, cut, renew }: ShardRemoval,
): Promise<void> {
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs();
    const part = await store.removeOldest(shard, cut, limits.retentionEvents, await renew());
    if (part === undefined) return;
    onRemoved(part);
    const restMs = Math.max(1, clock.monotonicMs() - startedMs);
    await clock.sleep(restMs, signal).catch(() => undefined);
  }
}

function takenOver(): HubError {
  return new HubError('conflict', 'another process has begun to remove what is too old');
}

/** The parts of a removal as one for each shard. */
export class RemovalTally {
  readonly #byShard = new Map<string, Removal>();

  add(part: Removal): void {
    const known = this.#byShard.get(part.shard);
    if (known === undefined) {
      this.#byShard.set(part.shard, part);
      return;
    }
    this.#byShard.set(part.shard, {
      ...part,
      events: known.events + part.events,
      oldest: Math.min(known.oldest, part.oldest),
      newest: Math.max(known.newest, part.newest),
      minutes: known.minutes + part.minutes,
    });
  }

  get removals(): readonly Removal[] {
    return [...this.#byShard.values()];
  }

  get events(): number {
    return this.removals.reduce((sum, { events }) => sum + events, 0);
  }
}
