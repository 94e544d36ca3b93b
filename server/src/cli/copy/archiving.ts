import { randomUUID } from 'node:crypto';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { type EventLog, logShard } from '../../log/event-log.ts';
import { Archive } from '../../readers/archive.ts';
import { ProjectionRunner } from '../../readers/projection.ts';
import type { EventStore } from '../../store/event-store.ts';

const lookMs = 100;

/**
 * Reads a log into its store, as a hub's archive reader does; where a hub has
 * the lease, its reader does it and this waits.
 */
export class Archiving {
  readonly #log: EventLog;
  readonly #store: EventStore;
  #runner: ProjectionRunner | undefined;

  constructor({ log, store }: { readonly log: EventLog; readonly store: EventStore }) {
    this.#log = log;
    this.#store = store;
  }

  start(): void {
    if (this.#runner !== undefined) return;
    const deps = { log: this.#log, store: this.#store, clock: systemClock, logger: silentLogger };
    const projection = new Archive({ ...deps, shard: logShard });
    this.#runner = new ProjectionRunner({ ...deps, projection, holder: randomUUID() });
    this.#runner.start();
  }

  /** Resolves when the store has what the log has now; rejects when it cannot go on, or with the signal's reason. */
  async settle(signal: AbortSignal): Promise<void> {
    const end = await this.#log.end();
    if (end === undefined || (await this.#store.positions()).get(logShard) === end) return;
    this.start();
    const stuck = new AbortController();
    const stopLooking = systemClock.every(lookMs, () => {
      if (this.#runner?.fault !== undefined) stuck.abort(this.#runner.fault);
    });
    try {
      await this.#store.reached(end, AbortSignal.any([signal, stuck.signal]));
    } finally {
      stopLooking();
    }
  }

  async stop(): Promise<void> {
    await this.#runner?.stop();
  }
}
