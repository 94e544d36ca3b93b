import { randomUUID } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { type Lease, leasePrefixes } from '../event-store.ts';
import type { Leases } from './leases.ts';
import type { MongoConnection } from './mongo-connection.ts';

const forgottenAfterMs = 60 * 60_000;

/** Shows that a hub runs on the database, in whatever role, so that nobody erases it meanwhile. */
export class ProcessLease {
  readonly #connection: MongoConnection;
  readonly #leases: Leases;
  readonly #name = `${leasePrefixes.process}${randomUUID()}`;
  readonly #stopRenewing: () => void;
  #lease: Lease | undefined;
  #renewing: Promise<void> = Promise.resolve();

  constructor(connection: MongoConnection, leases: Leases, clock: Clock) {
    this.#connection = connection;
    this.#leases = leases;
    this.#stopRenewing = clock.every(limits.mongoProcessSeenMs, () => {
      this.#renewing = this.#renew().catch(() => undefined);
    });
  }

  /** At once where MongoDB answers; elsewhere as soon as it does. */
  async begin(): Promise<void> {
    if (!this.#connection.isUp) return;
    this.#renewing = this.#renew().catch(() => undefined);
    await this.#renewing;
    await this.#removeForgotten().catch(() => undefined);
  }

  async #renew(): Promise<void> {
    this.#lease = await this.#leases.acquire(this.#name, this.#name, limits.mongoProcessTtlMs);
  }

  /** Those of processes that ended without taking theirs back, and of readers, each with a name of its own. */
  async #removeForgotten(): Promise<void> {
    await this.#connection.use(({ leases }) =>
      leases.deleteMany({
        _id: { $regex: `^(${leasePrefixes.process}|${leasePrefixes.reader})` },
        $expr: { $lt: ['$expires_at', { $subtract: ['$$NOW', forgottenAfterMs] }] },
      }),
    );
  }

  /** Taken back where MongoDB answers; elsewhere it runs out. */
  async stop(): Promise<void> {
    this.#stopRenewing();
    await this.#renewing;
    if (this.#lease === undefined || !this.#connection.isUp) return;
    await this.#leases.remove(this.#lease).catch(() => undefined);
  }
}
