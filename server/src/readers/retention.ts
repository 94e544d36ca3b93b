import { Backoff } from '../base/backoff.ts';
import { formatInstant } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import { repeatUntilAborted } from '../base/repeat-until-aborted.ts';
import { leasePrefixes } from '../store/event-store.ts';
import { type RemovalDeps, RemovalTally, removeOldEvents } from './remove-old-events.ts';

export interface RetentionDeps extends RemovalDeps {
  readonly logger: Logger;
  /** Random, one per process. */
  readonly holder: string;
  /** The age by receipt at which events are removed. */
  readonly retentionMs: number;
}

/** Removes now and then what has become too old, in one process of all on the store. */
export class Retention {
  readonly #deps: RetentionDeps;
  readonly #stopping = new AbortController();
  readonly #backoff = new Backoff(limits.retryFirstMs, limits.retryMaxMs);
  #done: Promise<void> = Promise.resolve();

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { signal } = this.#stopping;
    this.#done = repeatUntilAborted(signal, this.#deps.clock, () => this.#removeNow());
  }

  /** The part that is being removed is finished first. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  /** Milliseconds to wait before it is tried again. */
  async #removeNow(): Promise<number> {
    try {
      await this.#remove();
      this.#backoff.reset();
      return limits.retentionEveryMs;
    } catch (reason) {
      return this.#waitAfter(HubError.from(reason));
    }
  }

  async #remove(): Promise<void> {
    const { clock, retentionMs, holder } = this.#deps;
    const tally = new RemovalTally();
    try {
      await removeOldEvents(this.#deps, {
        receivedBefore: clock.now() - retentionMs,
        holder,
        signal: this.#stopping.signal,
        onRemoved: (part) => tally.add(part),
      });
    } finally {
      this.#tell(tally);
    }
  }

  #tell(tally: RemovalTally): void {
    for (const { shard, events, oldest, newest, floor, minutes } of tally.removals) {
      this.#deps.logger.info(
        {
          shard,
          events,
          oldest: formatInstant(oldest),
          newest: formatInstant(newest),
          floor,
          frozen_minutes: minutes,
        },
        'removed what was too old',
      );
    }
  }

  /** Milliseconds. Said once while it fails. */
  #waitAfter(fault: HubError): number {
    const { logger } = this.#deps;
    if (fault.code === 'conflict') {
      // Another process gets on with it, or one that knows nothing of it is in the way.
      logger.warn({ lease: leasePrefixes.retention }, fault.message);
      return limits.retentionEveryMs;
    }
    const waitMs = this.#backoff.next();
    if (waitMs === limits.retryFirstMs) {
      logger.warn({ err: fault, cause: fault.cause }, 'retention fails and tries again');
    }
    return waitMs;
  }
}
