import type { Bucket } from './event-store.ts';

/** Buckets of parts of one window as one list: those of one start, type and currency added up, sorted by these. */
export function mergeBuckets(parts: Iterable<Bucket>): readonly Bucket[] {
  const merged = new Map<string, Bucket>();
  for (const part of parts) {
    const key = `${part.start} ${part.eventType} ${part.currency}`;
    const known = merged.get(key);
    merged.set(key, {
      ...part,
      eventCount: part.eventCount + (known?.eventCount ?? 0),
      total: part.total + (known?.total ?? 0n),
    });
  }
  return [...merged.values()].sort(
    (a, b) =>
      a.start - b.start || compare(a.eventType, b.eventType) || compare(a.currency, b.currency),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
