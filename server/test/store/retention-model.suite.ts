import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Event } from '../../src/event/event.ts';
import { hasSameContent } from '../../src/event/event.ts';
import { minuteMs, minuteOf } from '../../src/event/minute.ts';
import type { LogEntry, Position } from '../../src/log/event-log.ts';
import type { EventStore, Recorded, Removal, RemovalCut } from '../../src/store/event-store.ts';
import { anEvent } from '../support/build-event.ts';
import type { StoreHarness } from './event-store.suite.ts';
import { idsOf, noon, shard, timedEntries } from './retention-steps.ts';

const minutes = 4;

/** Part of the suite of retention: any order of what happens to a store gives what a plain walk over the events gives. */
export function retentionModelTest(createHarness: () => Promise<StoreHarness>): void {
  it('agrees with a plain model over any records, repeats, removals and rebuilds', {
    timeout: 240_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 4, maxLength: 14 }), async (commands) => {
        const harness = await createHarness();
        const store = await harness.open();
        try {
          const model = new Model();
          for (const each of commands) await run(each, { harness, store, model });
          await compare(store, model);
        } finally {
          await store.close();
          await harness.destroy();
        }
      }),
      { numRuns: 12 },
    );
  });
}

const newEvent = fc
  .record({
    minute: fc.integer({ min: 0, max: minutes - 1 }),
    age: fc.integer({ min: 0, max: 9 }),
    amount: fc.integer({ min: 0, max: 5 }),
    userId: fc.constantFrom('u1', 'u2'),
    eventType: fc.constantFrom('purchase', 'refund'),
  })
  .map(({ minute, age, amount, userId, eventType }) =>
    anEvent({
      userId,
      eventType,
      amount: BigInt(amount),
      timestamp: noon + minute * minuteMs + 17,
      receivedAt: noon + age * 1_000,
    }),
  );
const repeat = fc.record({
  of: fc.nat({ max: 60 }),
  as: fc.constantFrom('itself', 'without a timestamp', 'other content'),
});
const cut = fc.record({
  before: fc.integer({ min: 0, max: 11 }),
  upTo: fc.option(fc.nat({ max: 60 }), { nil: undefined }),
  limit: fc.integer({ min: 1, max: 5 }),
});
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ record: fc.array(newEvent, { maxLength: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ repeat: fc.array(repeat, { maxLength: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ remove: cut }) },
  { weight: 1, arbitrary: fc.constant({ rebuild: true as const }) },
  { weight: 1, arbitrary: fc.constant({ readAnew: true as const }) },
);
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;
type Repeat = typeof repeat extends fc.Arbitrary<infer R> ? R : never;

interface Sides {
  readonly harness: StoreHarness;
  readonly store: EventStore;
  readonly model: Model;
}

async function run(command: Command, { harness, store, model }: Sides): Promise<void> {
  if ('record' in command || 'repeat' in command) {
    const events = 'record' in command ? command.record : model.repeats(command.repeat);
    if (events.length === 0) return;
    const entries = await timedEntries(harness, events, model.log.length + 1);
    expect(await store.record(shard, entries)).toEqual(model.record(entries));
  } else if ('remove' in command) {
    const { before, upTo: at, limit } = command.remove;
    const upTo = at === undefined ? undefined : model.log[at]?.position;
    const within: RemovalCut = {
      receivedBefore: noon + before * 1_000,
      ...(upTo === undefined ? {} : { upTo }),
    };
    expect(await store.previewRemoval(shard, within)).toEqual(model.removable(within));
    expect(await store.removeOldest(shard, within, limit)).toEqual(model.remove(within, limit));
  } else if ('rebuild' in command) {
    expect(await store.rebuild()).toBe(0);
  } else {
    await store.resetPosition(shard, undefined);
    expect(await store.record(shard, model.log)).toEqual(model.readAnew());
  }
}

async function compare(store: EventStore, model: Model): Promise<void> {
  const there = model.firsts.slice(model.removed);
  const read = await store.entriesAfter(shard, 'start', 1_000);
  expect(read.map(({ position }) => position)).toEqual(there.map(({ position }) => position));
  const page = await store.find({ filter: {}, order: 'asc', limit: 1_000 });
  expect(page.events.map(({ event }) => event.id).toSorted()).toEqual(idsOf(there).toSorted());
  const known = await store.getMany(idsOf(model.firsts));
  expect([...known.values()].map(({ position }) => position).toSorted()).toEqual(
    model.firsts.map(({ position }) => position),
  );
  expect(await store.conflicts(1_000)).toHaveLength(model.conflicts.size);
  expect(await store.retained()).toEqual({
    floors: new Map(model.floor === undefined ? [] : [[shard, model.floor]]),
    removedEvents: model.removed,
    frozenMinutes: model.frozen.size,
  });
  expect(await store.verify()).toEqual([]);
  for (let index = 0; index < minutes; index += 1) await compareMinute(store, model, index);
}

async function compareMinute(store: EventStore, model: Model, index: number): Promise<void> {
  const from = noon + index * minuteMs;
  const window = { from, to: from + minuteMs };
  const inside = model.firsts.filter(({ event }) => minuteOf(event.timestamp) === from);
  expect(await sumsOf(store, window)).toEqual(naive(inside));
  const filter = { userIds: ['u1'] };
  const edge = { from, to: from + 18 };
  if (model.frozen.has(from)) {
    await expect(sumsOf(store, { ...window, filter })).rejects.toMatchObject({ code: 'invalid' });
    await expect(sumsOf(store, edge)).rejects.toMatchObject({ code: 'invalid' });
  } else {
    const own = inside.filter(({ event }) => event.userId === 'u1');
    expect(await sumsOf(store, { ...window, filter })).toEqual(naive(own));
    expect(await sumsOf(store, edge)).toEqual(naive(inside));
  }
}

/** What a store should hold, in the plainest way. */
class Model {
  /** All that was recorded. */
  readonly log: LogEntry[] = [];
  readonly firsts: LogEntry[] = [];
  readonly conflicts = new Set<Position>();
  readonly frozen = new Set<number>();
  removed = 0;

  get floor(): Position | undefined {
    return this.firsts[this.removed - 1]?.position;
  }

  repeats(repeats: readonly Repeat[]): readonly Event[] {
    return repeats.flatMap(({ of, as }) => {
      const first = this.firsts[of % Math.max(this.firsts.length, 1)]?.event;
      if (first === undefined) return [];
      const now = noon + 10_000;
      if (as === 'itself') return [{ ...first, receivedAt: now }];
      if (as === 'other content') return [{ ...first, amount: first.amount + 7n }];
      return [{ ...first, timestamp: now, receivedAt: now }];
    });
  }

  record(entries: readonly LogEntry[]): Recorded {
    const recorded = { added: 0, duplicates: 0, conflicts: 0 };
    for (const entry of entries) {
      this.log.push(entry);
      const first = this.firsts.find(({ event }) => event.id === entry.event.id);
      if (first === undefined) {
        this.firsts.push(entry);
        recorded.added += 1;
      } else if (hasSameContent(first.event, entry.event)) {
        recorded.duplicates += 1;
      } else {
        this.conflicts.add(entry.position);
        recorded.conflicts += 1;
      }
    }
    return recorded;
  }

  readAnew(): Recorded {
    const conflicts = this.conflicts.size;
    return { added: 0, duplicates: this.log.length - conflicts, conflicts };
  }

  removable({ receivedBefore, upTo }: RemovalCut, limit = Infinity): Removal | undefined {
    const candidates = this.firsts.slice(this.removed, -1);
    const stays = candidates.findIndex(
      ({ event, position }) =>
        event.receivedAt >= receivedBefore || (upTo !== undefined && position > upTo),
    );
    const gone = (stays < 0 ? candidates : candidates.slice(0, stays)).slice(0, limit);
    const [first, last] = [gone[0], gone.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const losing = new Set(gone.map(({ event }) => minuteOf(event.timestamp)));
    return {
      shard,
      events: gone.length,
      oldest: first.event.receivedAt,
      newest: last.event.receivedAt,
      floor: last.position,
      minutes: [...losing].filter((minute) => !this.frozen.has(minute)).length,
    };
  }

  remove(cut: RemovalCut, limit: number): Removal | undefined {
    const removal = this.removable(cut, limit);
    const end = this.removed + (removal?.events ?? 0);
    for (const { event } of this.firsts.slice(this.removed, end)) {
      this.frozen.add(minuteOf(event.timestamp));
    }
    this.removed = end;
    return removal;
  }
}

async function sumsOf(
  store: EventStore,
  query: { from: number; to: number; filter?: { userIds: readonly string[] } },
) {
  const { buckets } = await store.aggregate({ filter: {}, ...query });
  return Object.fromEntries(
    buckets.map(({ eventType, eventCount, total }) => [eventType, [eventCount, total]]),
  );
}

function naive(entries: readonly LogEntry[]) {
  const sums: Record<string, [number, bigint]> = {};
  for (const { event } of entries) {
    const [count, total] = sums[event.eventType] ?? [0, 0n];
    sums[event.eventType] = [count + 1, total + event.amount];
  }
  return sums;
}
