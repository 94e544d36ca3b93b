import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import type { Lease } from '../../store/event-store.ts';

interface Held extends Lease {
  readonly endsAtMs: number;
}

/** Leases among those who share this process's hold of the file: the file's lock keeps every other process away. */
export class LocalLeases {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  acquire(name: string, holder: string, ttlMs: number): Lease | undefined {
    const nowMs = this.#clock.monotonicMs();
    const held = this.#held.get(name);
    const isFree = held === undefined || held.endsAtMs <= nowMs;
    if (!isFree && held.holder !== holder) return undefined;
    const epoch = held === undefined ? 1 : isFree ? held.epoch + 1 : held.epoch;
    this.#held.set(name, { name, holder, epoch, endsAtMs: nowMs + ttlMs });
    return { name, holder, epoch };
  }

  release(lease: Lease): void {
    const held = this.#held.get(lease.name);
    if (held === undefined || !isSame(held, lease)) return;
    this.#held.set(lease.name, { ...held, endsAtMs: this.#clock.monotonicMs() });
  }

  names(prefix: string): readonly string[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#held.values()]
      .filter(({ name, endsAtMs }) => name.startsWith(prefix) && endsAtMs > nowMs)
      .map(({ name }) => name);
  }

  /** Throws `conflict` unless the lease is still held. */
  assertHeld(lease: Lease): void {
    const held = this.#held.get(lease.name);
    if (held === undefined || !isSame(held, lease) || held.endsAtMs <= this.#clock.monotonicMs()) {
      throw new HubError('conflict', `the lease ${lease.name} is not held any more`);
    }
  }
}

function isSame(a: Lease, b: Lease): boolean {
  return a.holder === b.holder && a.epoch === b.epoch;
}
