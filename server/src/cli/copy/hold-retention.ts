import { randomUUID } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { type EventStore, leasePrefixes } from '../../store/event-store.ts';

type Leases = Pick<EventStore, 'acquireLease' | 'releaseLease'>;

/**
 * Keeps a hub on the store from removing events meanwhile: of what both sides have
 * removed nobody could tell who counted it. The answer lets it go on. Rejects with
 * `conflict` while one is at it.
 */
export async function holdRetention(
  store: Leases,
  clock: Clock,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const holder = randomUUID();
  const acquire = () => store.acquireLease(leasePrefixes.retention, holder, limits.leaseTtlMs);
  const deadlineMs = clock.monotonicMs() + limits.leaseTtlMs + limits.leaseRenewMs;
  let lease = await acquire();
  while (lease === undefined) {
    if (signal.aborted || clock.monotonicMs() >= deadlineMs) throw busy();
    await clock.sleep(limits.retryFirstMs, signal).catch(() => undefined);
    lease = await acquire();
  }
  const held = lease;
  const stopRenewing = clock.every(limits.leaseRenewMs, () => {
    // A target that does not answer now does not remove anything either.
    void acquire().catch(() => undefined);
  });
  return async () => {
    stopRenewing();
    await store.releaseLease(held).catch(() => undefined);
  };
}

function busy(): HubError {
  return new HubError(
    'conflict',
    'a hub on the target is removing what is too old there: wait until it has',
  );
}
