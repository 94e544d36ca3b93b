import { type Clock, formatInstant, type Instant } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { repeatUntilAborted } from '../base/repeat-until-aborted.ts';
import { formatAmount } from '../event/money.ts';
import type { CountedMinute, EventStore, Lease } from '../store/event-store.ts';

const minuteMs = 60_000;

/** A minute is reported this long after its end. */
const reportDelayMs = 5_000;

/** Beyond the next minute: whoever reports goes on reporting, and is replaced in the one after. */
const leaseTtlMs = 90_000;

/**
 * One log line for each wall-clock minute in which something was counted, by
 * one process of all on the store. The store keeps what was counted until it is
 * reported, so that a restart neither forgets a minute nor splits it. The
 * answer stops the reporting.
 */
export function startMinuteReport(deps: {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Random, one per process. */
  readonly holder: string;
}): () => Promise<void> {
  const { store, clock, logger, holder } = deps;
  let lease: Lease | undefined;
  const stopping = new AbortController();
  const done = repeatUntilAborted(stopping.signal, clock, async () => {
    try {
      lease = await store.acquireLease('minute report', holder, leaseTtlMs);
      if (lease !== undefined) await reportMinutes(deps);
    } catch (reason) {
      logger.warn({ err: reason }, 'counted minutes could not be reported; they are kept');
    }
    return untilNextReportMs(clock.now());
  });
  return async () => {
    stopping.abort();
    await done;
    if (lease !== undefined) await store.releaseLease(lease).catch(() => undefined);
  };
}

/** Reports every minute that ended long enough ago, once. */
export async function reportMinutes({
  store,
  clock,
  logger,
}: {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<void> {
  const end = Math.floor((clock.now() - reportDelayMs) / minuteMs) * minuteMs;
  const counted = await store.countedMinutes(end);
  if (counted.length === 0) return;
  for (const [minute, counts] of Map.groupBy(counted, (count) => count.minute)) {
    logger.info(describe(minute, counts), 'minute counted');
  }
  await store.forgetCountedMinutes(end);
}

function describe(minute: Instant, counts: readonly CountedMinute[]) {
  return {
    minute: formatInstant(minute),
    events: counts.reduce((sum, count) => sum + count.eventCount, 0),
    late_events: counts.reduce((sum, count) => sum + count.lateCount, 0),
    sums: counts.map(({ eventType, currency, eventCount, total }) => ({
      event_type: eventType,
      currency,
      events: eventCount,
      total: formatAmount(total),
    })),
  };
}

function untilNextReportMs(now: Instant): number {
  const next = (Math.floor((now - reportDelayMs) / minuteMs) + 1) * minuteMs + reportDelayMs;
  return Math.max(1, next - now);
}
