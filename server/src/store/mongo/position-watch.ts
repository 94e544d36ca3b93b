import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { Places } from '../../log/event-log.ts';
import type { MongoConnection } from './mongo-connection.ts';

interface Waiter {
  readonly places: Places;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Looks at how far the store has read, for all who wait at once, and only while somebody does. */
export class PositionWatch {
  readonly #connection: MongoConnection;
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();
  #isLooking = false;

  constructor(connection: MongoConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /** Resolves when the store has read up to all places; rejects with the signal's reason, or when MongoDB is away. */
  async passed(places: Places, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { places, resolve, reject };
    const giveUp = () => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    this.#waiters.add(waiter);
    void this.#look();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
      this.#waiters.delete(waiter);
    }
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    while (this.#waiters.size > 0) {
      try {
        const documents = await this.#connection.use(({ positions }) =>
          positions.find({}, { projection: { position: 1 } }).toArray(),
        );
        const reached = new Map(documents.map(({ _id, position }) => [_id, position]));
        for (const waiter of this.#waiters) {
          const isReached = [...waiter.places].every(
            ([shard, position]) => (reached.get(shard) ?? '') >= position,
          );
          if (isReached) waiter.resolve();
        }
      } catch (reason) {
        for (const waiter of this.#waiters) waiter.reject(reason);
      }
      await this.#clock.sleep(limits.mongoPositionPollMs);
    }
    this.#isLooking = false;
  }
}
