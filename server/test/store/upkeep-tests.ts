import { expect, it } from 'vitest';
import type { Event } from '../../src/event/event.ts';
import type { LogEntry } from '../../src/log/event-log.ts';
import type { EventStore } from '../../src/store/event-store.ts';
import { someEvents } from '../support/build-event.ts';

const shard = '0';
const noon = Date.UTC(2026, 5, 30, 12, 0, 0);

/** Part of the suite of the port `EventStore`: what processes agree on, and how a shard is read anew. */
export function upkeepTests(
  store: () => EventStore,
  record: (events: readonly Event[]) => Promise<{ readonly entries: readonly LogEntry[] }>,
): void {
  const counted = async () => {
    const { buckets } = await store().aggregate({ from: noon, to: noon + 60_000, filter: {} });
    return buckets.reduce((sum, { eventCount }) => sum + eventCount, 0);
  };

  it('agrees on what came first, also when several come at once', async () => {
    const wishes = ['EUR', 'USD', 'CHF'].map((defaultCurrency) => ({
      eventTypes: 'purchase:+',
      defaultCurrency,
    }));
    const kept = await Promise.all(wishes.map((wanted) => store().agree(wanted)));
    expect(wishes).toContainEqual(kept[0]);
    expect(new Set(kept.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(await store().agreement()).toEqual(kept[0]);
  });

  it('reads a shard anew after its position was reset, and counts what it knows once', async () => {
    const { entries } = await record(someEvents(4, { timestamp: noon, amount: 3n }));
    await store().resetPosition(shard, entries[1]?.position);
    expect(await store().positions()).toEqual(new Map([[shard, entries[1]?.position]]));
    await store().resetPosition(shard, undefined);
    expect(await store().record(shard, entries)).toEqual({
      added: 0,
      duplicates: 4,
      conflicts: 0,
    });
    expect(await store().positions()).toEqual(new Map([[shard, entries[3]?.position]]));
    expect(await counted()).toBe(4);
  });
}
