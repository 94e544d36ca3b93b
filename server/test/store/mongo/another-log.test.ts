import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LogEntry, Position } from '../../../src/log/event-log.ts';
import { formatPosition, unseen } from '../../../src/log/kafka/kafka-position.ts';
import type { EventStore } from '../../../src/store/event-store.ts';
import { anEvent, someEvents } from '../../support/build-event.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import type { StoreHarness } from '../event-store.suite.ts';
import { mongoStoreHarness } from '../mongo-store-harness.ts';

const lost = { topicId: 'cccccccc', partitions: 6 };
const own = { topicId: 'bbbbbbbb', partitions: 6 };
const isOwn = (place: Position) => place.includes(`-${own.topicId}-`);
const receivedBefore = Number.MAX_SAFE_INTEGER;

const offsets = (minLength: number) =>
  fc
    .uniqueArray(fc.nat({ max: 40 }), { minLength, maxLength: 20 })
    .map((found) => found.toSorted((a, b) => a - b));

/** What becomes of one shard. */
const course = fc.record({
  /** What the lost log left, and how much of it was removed while it was there. */
  lostOffsets: offsets(1),
  lostRemoved: fc.nat({ max: 20 }),
  /** What the log has that took its place, and up to where it let go of that. */
  ownOffsets: offsets(1),
  trimmedTo: fc.nat({ max: 40 }),
  removals: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 }),
  limit: fc.integer({ min: 1, max: 6 }),
});

describeWithEngines('a store whose log took the place of another', ['mongo'], () => {
  let harness: StoreHarness;
  let store: EventStore;
  beforeAll(async () => {
    harness = await mongoStoreHarness({ isLogSharded: true });
    store = await harness.open();
  });
  afterAll(async () => {
    await store.close();
    await harness.destroy();
  });

  /** Every run has a shard of its own. */
  let partition = 0;
  const entriesAt = (mark: typeof own, at: readonly number[]): readonly LogEntry[] =>
    someEvents(at.length, { receivedAt: 1_000 }).map((event, index) => {
      const place = { partition, offset: at[index] ?? 0, fingerprint: '01234567' };
      return { shard: String(partition), position: formatPosition(place, mark), event };
    });
  const positionsOf = (entries: readonly LogEntry[]) => entries.map(({ position }) => position);

  const readOn = async (after: Position | 'start', limit: number) => {
    const read: Position[] = [];
    for (;;) {
      const from = read.at(-1) ?? after;
      const page = await store.entriesAfter(String(partition), from, limit, isOwn);
      if (page.length === 0) return read;
      expect(page.length).toBeLessThanOrEqual(limit);
      read.push(...positionsOf(page));
    }
  };

  it('reads on in what is left of its own, removes in the order of both, and names its own floor', async () => {
    const follow = fc.asyncProperty(course, async (steps) => {
      partition += 1;
      const shard = String(partition);
      const [lostEntries, ownEntries] = [
        entriesAt(lost, steps.lostOffsets),
        entriesAt(own, steps.ownOffsets),
      ];
      await store.record(shard, lostEntries);
      // By a hub that knew of no other log.
      if (steps.lostRemoved > 0) {
        await store.removeOldest(shard, { receivedBefore }, steps.lostRemoved);
      }
      await store.resetPosition(shard, undefined);
      await store.record(shard, ownEntries);

      const lostLeft = positionsOf(lostEntries).slice(
        Math.min(steps.lostRemoved, lostEntries.length - 1),
      );
      let left = [...lostLeft, ...positionsOf(ownEntries)].toSorted();
      let floor: Position | undefined;
      const trimmed = { partition, offset: steps.trimmedTo, fingerprint: unseen };
      const upTo = formatPosition(trimmed, own);
      for (const count of steps.removals) {
        const kept = left.findIndex((position) => position > upTo);
        const removable = left.slice(0, kept === -1 ? -1 : Math.min(kept, left.length - 1));
        const preview = await store.previewRemoval(shard, { receivedBefore, upTo, isOwn });
        expect(preview?.events ?? 0).toBe(removable.length);
        const floorWithout = (gone: readonly Position[]) =>
          gone.findLast(isOwn) ?? floor ?? gone.at(-1);
        expect(preview?.floor).toBe(removable.length === 0 ? undefined : floorWithout(removable));
        const part = await store.removeOldest(shard, { receivedBefore, upTo, isOwn }, count);
        const removed = removable.slice(0, count);
        expect(part?.floor).toBe(removed.length === 0 ? undefined : floorWithout(removed));
        left = left.slice(removed.length);
        floor = removed.findLast(isOwn) ?? floor;

        const ownLeft = left.filter(isOwn);
        expect(await readOn('start', steps.limit)).toEqual(ownLeft);
        for (const index of [0, ownEntries.length >> 1, ownEntries.length - 1]) {
          const place = ownEntries[index]?.position ?? upTo;
          if (floor !== undefined && place < floor) {
            await expect(readOn(place, steps.limit)).rejects.toMatchObject({
              code: 'position_gone',
              position: floor,
            });
          } else {
            const behind = ownLeft.filter((position) => position > place);
            expect(await readOn(place, steps.limit)).toEqual(behind);
          }
        }
        const known = (await store.retained()).floors.get(shard);
        if (floor !== undefined) expect(known).toBe(floor);
      }
    });
    await fc.assert(follow, { numRuns: 40 });
  });

  it('keeps and names its own floor while only what another log left goes', async () => {
    partition += 1;
    const shard = String(partition);
    await store.record(shard, entriesAt(lost, [2, 3, 4, 9]));
    await store.resetPosition(shard, undefined);
    const [first] = entriesAt(own, [1]);
    await store.record(shard, first === undefined ? [] : [first]);
    const trimmed = { partition, offset: 8, fingerprint: unseen };
    const cut = { receivedBefore, upTo: formatPosition(trimmed, own), isOwn };
    for (const [count, events] of [
      [1, 1],
      [2, 2],
      [3, 1],
    ] as const) {
      expect((await store.previewRemoval(shard, cut))?.floor).toBe(first?.position);
      const part = await store.removeOldest(shard, cut, count);
      expect(part).toMatchObject({ events, floor: first?.position });
      expect((await store.retained()).floors.get(shard)).toBe(first?.position);
    }
    expect(await store.removeOldest(shard, cut, 1)).toBeUndefined();
  });

  it('tells repeats from conflicts by what came first, however much is recorded at once', async () => {
    /** Receipt, and the time that the client gave, if any. */
    const sends = fc.array(
      fc.record({ receivedAt: fc.nat({ max: 3 }), timestamp: fc.option(fc.nat({ max: 3 })) }),
      { minLength: 2, maxLength: 6 },
    );
    const alike = fc.asyncProperty(sends, async (course) => {
      const verdicts = [];
      for (const atOnce of [1, course.length]) {
        partition += 1;
        const shard = String(partition);
        const id = `of ${shard}`;
        const events = course.map(({ receivedAt, timestamp }) =>
          anEvent({ id, receivedAt, timestamp: timestamp ?? receivedAt }),
        );
        const entries = events.map((event, offset) => {
          const place = { partition, offset, fingerprint: '01234567' };
          return { shard, position: formatPosition(place, offset === 0 ? lost : own), event };
        });
        await store.record(shard, entries.slice(0, 1));
        const others = entries.slice(1);
        const sum = { added: 0, duplicates: 0, conflicts: 0 };
        for (let at = 0; at < others.length; at += atOnce) {
          const part = await store.record(shard, others.slice(at, at + atOnce), { isOwn });
          for (const verdict of ['added', 'duplicates', 'conflicts'] as const) {
            sum[verdict] += part[verdict];
          }
        }
        verdicts.push(sum);
      }
      expect(verdicts[1]).toEqual(verdicts[0]);
    });
    await fc.assert(alike, { numRuns: 60 });
  });
});
