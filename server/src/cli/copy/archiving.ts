import { randomUUID } from 'node:crypto';
import { systemClock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { silentLogger } from '../../base/logger.ts';
import type { EventLog } from '../../log/event-log.ts';
import { ShardReaders } from '../../readers/shard-readers.ts';
import type { EventStore } from '../../store/event-store.ts';

const lookMs = 100;

/**
 * Reads a log into its store, as a hub's archive readers do; where a hub has
 * the lease, its reader does it and this waits.
 */
export class Archiving {
  readonly #log: EventLog;
  readonly #store: EventStore;
  #readers: ShardReaders | undefined;

  constructor({ log, store }: { readonly log: EventLog; readonly store: EventStore }) {
    this.#log = log;
    this.#store = store;
  }

  start(): void {
    if (this.#readers !== undefined) return;
    const deps = { log: this.#log, store: this.#store, clock: systemClock, logger: silentLogger };
    this.#readers = new ShardReaders({ ...deps, holder: randomUUID() });
    this.#readers.start();
  }

  /** Resolves when the store has what the log has now; rejects when it cannot go on, or with the signal's reason. */
  async settle(signal: AbortSignal): Promise<void> {
    const end = await this.#log.end();
    if (end === undefined) return;
    const places = this.#log.placesIn(end);
    const archived = await this.#store.positions();
    if ([...places].every(([shard, position]) => archived.get(shard) === position)) return;
    this.start();
    const stuck = new AbortController();
    const stopLooking = systemClock.every(lookMs, () => {
      if (this.#readers?.fault !== undefined) stuck.abort(this.#readers.fault);
    });
    try {
      await this.#store.reached(places, AbortSignal.any([signal, stuck.signal]));
    } catch (reason) {
      // The newest entry may repeat an event: then it is enough that the store has passed it.
      const isPassed = !stuck.signal.aborted && HubError.from(reason).code === 'position_gone';
      if (!isPassed) throw reason;
    } finally {
      stopLooking();
    }
  }

  async stop(): Promise<void> {
    await this.#readers?.stop();
  }
}
