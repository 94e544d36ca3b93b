import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { within } from '../base/within.ts';
import type { EventStore, Lease } from '../store/event-store.ts';

interface GiveBackDeps {
  readonly store: Pick<EventStore, 'releaseLease'>;
  readonly clock: Clock;
}

/** Never rejects, and nobody waits longer for it than until the lease runs out by itself. */
export async function giveBackLease({ store, clock }: GiveBackDeps, lease: Lease): Promise<void> {
  const released = store.releaseLease(lease);
  const late = `${lease.name} was kept`;
  await within(clock, limits.retryMaxMs, released, late).catch(() => undefined);
}
