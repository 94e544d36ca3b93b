import { formatAmount } from '../../event/money.ts';
import type { LogEntry } from '../../log/event-log.ts';
import type { EventStore } from '../../store/event-store.ts';

export interface Total {
  readonly eventCount: number;
  /** In millionths. */
  readonly total: bigint;
}

/** Counts and sums over everything, by type and currency: `purchase EUR`. */
export type Totals = ReadonlyMap<string, Total>;

/** The year 10000, on a whole minute: later events are not taken. */
const endOfTime = 253_402_300_800_000;

/** Of all events in a store. */
export async function totalsOf(store: EventStore): Promise<Totals> {
  const { buckets } = await store.aggregate({ from: 0, to: endOfTime, filter: {} });
  const totals = new TotalsTally();
  for (const bucket of buckets) totals.add(bucket, bucket);
  return totals.values;
}

export class TotalsTally {
  readonly values = new Map<string, Total>();

  add(of: OfType, { eventCount, total }: Total): void {
    const known = this.totalOf(of);
    this.values.set(keyOf(of), {
      eventCount: known.eventCount + eventCount,
      total: known.total + total,
    });
  }

  totalOf(of: OfType): Total {
    return this.values.get(keyOf(of)) ?? nothing;
  }

  addEvent({ event }: LogEntry): void {
    this.add(event, { eventCount: 1, total: event.amount });
  }
}

interface OfType {
  readonly eventType: string;
  readonly currency: string;
}

function keyOf({ eventType, currency }: OfType): string {
  return `${eventType} ${currency}`;
}

export function countOf(totals: Totals): number {
  return [...totals.values()].reduce((sum, { eventCount }) => sum + eventCount, 0);
}

/** A line for people about each type and currency that differs; none when all are equal. */
export function differences(source: Totals, target: Totals): readonly string[] {
  return [...new Set([...source.keys(), ...target.keys()])]
    .sort()
    .map((key) => ({ key, is: source.get(key) ?? nothing, has: target.get(key) ?? nothing }))
    .filter(({ is, has }) => is.eventCount !== has.eventCount || is.total !== has.total)
    .map(({ key, is, has }) => `${key}: ${shown(is)} in the source, ${shown(has)} in the target`);
}

const nothing: Total = { eventCount: 0, total: 0n };

function shown({ eventCount, total }: Total): string {
  return `${eventCount} events with ${formatAmount(total)}`;
}
