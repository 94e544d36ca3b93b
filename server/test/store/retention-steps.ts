import { afterEach, beforeEach } from 'vitest';
import type { Event } from '../../src/event/event.ts';
import type { LogEntry } from '../../src/log/event-log.ts';
import type { EventStore, Recorded, Removal, RemovalCut } from '../../src/store/event-store.ts';
import { anEvent } from '../support/build-event.ts';
import type { StoreHarness } from './event-store.suite.ts';

export const shard = '0';
export const noon = Date.UTC(2026, 5, 30, 12, 0, 0);
/** After the time of receipt of every event here. */
export const later = noon + 365 * 24 * 60 * 60_000;

/** The store of the test that runs, and what is done with it. */
export class RetentionSteps {
  harness!: StoreHarness;
  store!: EventStore;
  #next = 1;

  async open(createHarness: () => Promise<StoreHarness>): Promise<void> {
    this.harness = await createHarness();
    this.store = await this.harness.open();
    this.#next = 1;
  }

  async reopen(): Promise<void> {
    await this.store.close();
    this.store = await this.harness.open();
  }

  async entriesOf(events: readonly Event[]): Promise<readonly LogEntry[]> {
    const entries = await timedEntries(this.harness, events, this.#next);
    this.#next += events.length;
    return entries;
  }

  async record(
    events: readonly Event[],
  ): Promise<{ readonly entries: readonly LogEntry[]; readonly recorded: Recorded }> {
    const entries = await this.entriesOf(events);
    return { entries, recorded: await this.store.record(shard, entries) };
  }

  /** In parts, until nothing is left of the cut. */
  async removeAll(cut: RemovalCut, limit = 1_000): Promise<readonly Removal[]> {
    const removals: Removal[] = [];
    for (;;) {
      const removal = await this.store.removeOldest(shard, cut, limit);
      if (removal === undefined) return removals;
      removals.push(removal);
    }
  }

  /** The ids of all that are there, oldest first. */
  async left(): Promise<readonly string[]> {
    return idsOf(await this.store.entriesAfter(shard, 'start', 1_000));
  }

  async total(from: number, to: number) {
    const { buckets } = await this.store.aggregate({ from, to, filter: {} });
    return buckets.map(({ eventType, eventCount, total }) => [eventType, eventCount, total]);
  }
}

/** For each test of the `describe` in which it is called. */
export function useStore(createHarness: () => Promise<StoreHarness>): RetentionSteps {
  const steps = new RetentionSteps();
  beforeEach(() => steps.open(createHarness));
  afterEach(async () => {
    await steps.store.close();
    await steps.harness.destroy();
  });
  return steps;
}

/** Entries whose events keep the times that the test gave them, in every harness. */
export async function timedEntries(
  harness: StoreHarness,
  events: readonly Event[],
  first: number,
): Promise<readonly LogEntry[]> {
  const entries = await harness.entries(events, first);
  return entries.map((entry, index) => {
    const receivedAt = events[index]?.receivedAt ?? entry.event.receivedAt;
    return { ...entry, event: { ...entry.event, receivedAt } };
  });
}

/** Events that were received every so many seconds from noon on, and say when they happened. */
export function everySecond(count: number, seconds = 1): readonly Event[] {
  return Array.from({ length: count }, (_, index) => {
    const at = noon + index * seconds * 1_000;
    return anEvent({ timestamp: at + 1, receivedAt: at, amount: 10n });
  });
}

export function idsOf(entries: readonly LogEntry[]): readonly string[] {
  return entries.map(({ event }) => event.id);
}

export function bare({ event }: LogEntry): Event {
  const { id, userId, eventType, amount, currency, timestamp, receivedAt, metadata } = event;
  return { id, userId, eventType, amount, currency, timestamp, receivedAt, metadata };
}
