import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import { repeatUntilAborted } from '../base/repeat-until-aborted.ts';
import { type EventStore, type Lease, leasePrefixes } from '../store/event-store.ts';
import type { Turn } from './projection.ts';

export interface ShardShareDeps {
  readonly store: Pick<EventStore, 'acquireLease' | 'releaseLease' | 'leaseNames'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Random, one per process. */
  readonly holder: string;
  readonly shards: number;
}

/**
 * How many shards this process may read: all of them, divided among the
 * processes that do. Each shows by a lease that it is there; one that joins is
 * left its part by the others, and what one that died had is taken over.
 */
export class ShardShare {
  readonly #deps: ShardShareDeps;
  readonly #held = new Set<string>();
  readonly #stopping = new AbortController();
  #fair = 0;
  #lease: Lease | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(deps: ShardShareDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { signal } = this.#stopping;
    this.#looking = repeatUntilAborted(signal, this.#deps.clock, () => this.#tryLook());
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#looking;
    if (this.#lease !== undefined) {
      await this.#deps.store.releaseLease(this.#lease).catch(() => undefined);
    }
  }

  turnOf(shard: string): Turn {
    return {
      mayBegin: () => this.#held.size < this.#fair,
      begin: () => {
        if (this.#held.size >= this.#fair) return false;
        this.#held.add(shard);
        return true;
      },
      mustEnd: () => this.#held.has(shard) && this.#held.size > this.#fair,
      end: () => {
        this.#held.delete(shard);
      },
    };
  }

  /** Milliseconds to wait before the next look. */
  async #tryLook(): Promise<number> {
    try {
      await this.#look();
    } catch (reason) {
      // What is held is kept: the lease of each shard says for how long.
      this.#deps.logger.debug({ err: reason }, 'who else reads could not be looked at');
    }
    return limits.leaseRetryMs;
  }

  async #look(): Promise<void> {
    const { store, holder, shards } = this.#deps;
    const name = `${leasePrefixes.reader}${holder}`;
    this.#lease = await store.acquireLease(name, holder, limits.leaseTtlMs);
    const readers = await store.leaseNames(leasePrefixes.reader);
    this.#fair = Math.ceil(shards / Math.max(1, readers.length));
  }
}
