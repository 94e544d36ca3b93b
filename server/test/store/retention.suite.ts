import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/event/event.ts';
import { removedEventOf } from '../../src/event/removed-event.ts';
import type { LogEntry, Position } from '../../src/log/event-log.ts';
import type { Lease, Removal } from '../../src/store/event-store.ts';
import { anEvent, someEvents } from '../support/build-event.ts';
import type { StoreHarness } from './event-store.suite.ts';
import { retentionModelTest } from './retention-model.suite.ts';
import { bare, everySecond, idsOf, later, noon, shard, useStore } from './retention-steps.ts';
import { retentionTotalsTests } from './retention-totals.suite.ts';

const minuteMs = 60_000;

/** What retention promises, part of the suite of the port `EventStore`. */
export function retentionSuite(name: string, createHarness: () => Promise<StoreHarness>): void {
  describe(`retention ${name}`, () => {
    describe('of one store', () => {
      const at = useStore(createHarness);
      describe('removeOldest', () => {
        it('removes the events that the hub took before the cut, and says which', async () => {
          const { entries } = await at.record(everySecond(6));
          const removal = {
            shard,
            events: 4,
            oldest: noon,
            newest: noon + 3_000,
            floor: entries[3]?.position,
            minutes: 1,
          };
          const cut = { receivedBefore: noon + 4_000 };
          expect(await at.store.removeOldest(shard, cut, 100)).toEqual(removal);
          expect(await at.left()).toEqual(idsOf(entries.slice(4)));
          expect(await at.store.removeOldest(shard, cut, 100)).toBeUndefined();
          expect(await at.store.removeOldest('no-shard', cut, 100)).toBeUndefined();
          expect(await at.store.retained()).toEqual({
            floors: new Map([[shard, entries[3]?.position]]),
            removedEvents: 4,
            frozenMinutes: 1,
          });
        });

        it('ends at the first event that must stay, though later ones are older', async () => {
          const ages = [0, 2, 9, 1, 3, 10];
          const { entries } = await at.record(
            ages.map((second) => anEvent({ receivedAt: noon + second * 1_000 })),
          );
          const [removal, ...more] = await at.removeAll({ receivedBefore: noon + 5_000 });
          expect(removal).toMatchObject({ events: 2, floor: entries[1]?.position });
          expect(more).toEqual([]);
          expect(await at.left()).toEqual(idsOf(entries.slice(2)));
        });

        it('removes nothing of a store in which nothing is old enough, or nothing at all', async () => {
          const nothing = { floors: new Map(), removedEvents: 0, frozenMinutes: 0 };
          expect(await at.store.removeOldest(shard, { receivedBefore: later }, 10)).toBeUndefined();
          const { entries } = await at.record(everySecond(3));
          expect(await at.store.removeOldest(shard, { receivedBefore: noon }, 10)).toBeUndefined();
          expect(await at.left()).toEqual(idsOf(entries));
          expect(await at.store.retained()).toEqual(nothing);
        });

        it('never removes the newest event of the shard', async () => {
          const { entries: first } = await at.record(everySecond(1));
          expect(await at.store.removeOldest(shard, { receivedBefore: later }, 10)).toBeUndefined();
          const { entries: more } = await at.record(everySecond(3));
          expect(await at.removeAll({ receivedBefore: later }, 10)).toMatchObject([{ events: 3 }]);
          expect(await at.left()).toEqual(idsOf([...first, ...more].slice(-1)));
          const { asOf } = await at.store.aggregate({ from: 0, to: 1, filter: {} });
          expect(asOf).toMatchObject({ position: more[2]?.position });
        });

        it('removes nothing behind the place up to which it may', async () => {
          const { entries } = await at.record(everySecond(6));
          const upTo = (index: number) => ({
            receivedBefore: later,
            upTo: entries[index]?.position as Position,
          });
          expect(await at.store.removeOldest(shard, upTo(1), 10)).toMatchObject({ events: 2 });
          expect(await at.store.removeOldest(shard, upTo(0), 10)).toBeUndefined();
          expect(await at.store.removeOldest(shard, upTo(1), 10)).toBeUndefined();
          expect(await at.store.removeOldest(shard, upTo(3), 10)).toMatchObject({
            events: 2,
            floor: entries[3]?.position,
          });
          expect(await at.left()).toEqual(idsOf(entries.slice(4)));
        });

        it('goes on where it ended when it may remove only a few at a time', async () => {
          const { entries } = await at.record(everySecond(8, 30));
          const cut = { receivedBefore: noon + 7 * 30_000 };
          const removals = await at.removeAll(cut, 3);
          expect(removals.map(({ events }) => events)).toEqual([3, 3, 1]);
          expect(removals.map(({ floor }) => floor)).toEqual(
            [2, 5, 6].map((index) => entries[index]?.position),
          );
          // The second minute is cut through: it is said once.
          expect(removals.map(({ minutes }) => minutes)).toEqual([2, 1, 1]);
          expect(await at.store.retained()).toMatchObject({ removedEvents: 7, frozenMinutes: 4 });
          expect(await at.left()).toEqual(idsOf(entries.slice(7)));
        });

        it('keeps what it did across reopen', async () => {
          const { entries } = await at.record(everySecond(5));
          await at.removeAll({ receivedBefore: noon + 3_000 });
          const retained = await at.store.retained();
          await at.reopen();
          expect(await at.store.retained()).toEqual(retained);
          expect(retained.floors).toEqual(new Map([[shard, entries[2]?.position]]));
          expect(await at.store.positions()).toEqual(new Map([[shard, entries[4]?.position]]));
          const again = await at.record([bare(entries[0] as LogEntry)]);
          expect(again.recorded).toEqual({ added: 0, duplicates: 1, conflicts: 0 });
        });

        it('is fenced: who lost the lease removes nothing', async () => {
          const { entries } = await at.record(everySecond(4));
          const cut = { receivedBefore: later };
          const lost = (await at.store.acquireLease('retention', 'one', 1)) as Lease;
          await expect
            .poll(() => at.store.acquireLease('retention', 'two', minuteMs))
            .toBeDefined();
          await expect(at.store.removeOldest(shard, cut, 10, lost)).rejects.toMatchObject({
            code: 'conflict',
          });
          expect(await at.left()).toEqual(idsOf(entries));
          expect(await at.store.retained()).toMatchObject({ removedEvents: 0, frozenMinutes: 0 });
          const lease = (await at.store.acquireLease('retention', 'two', minuteMs)) as Lease;
          expect(await at.store.removeOldest(shard, cut, 10, lease)).toMatchObject({ events: 3 });
        });
      });

      describe('previewRemoval', () => {
        it('says what is removed then altogether, and changes nothing', async () => {
          const { entries } = await at.record(everySecond(40, 17));
          // Minutes that are frozen already are not said again.
          await at.store.removeOldest(shard, { receivedBefore: later }, 5);
          for (const cut of [
            { receivedBefore: noon + 12 * 17_000 },
            { receivedBefore: later, upTo: entries[20]?.position as Position },
            { receivedBefore: later },
          ]) {
            const before = [await at.store.retained(), await at.left()];
            const preview = await at.store.previewRemoval(shard, cut);
            expect([await at.store.retained(), await at.left()]).toEqual(before);
            expect(preview).toBeDefined();
            expect(preview).toEqual(together(await at.removeAll(cut, 4)));
            expect(await at.store.previewRemoval(shard, cut)).toBeUndefined();
          }
          expect(
            await at.store.previewRemoval('no-shard', { receivedBefore: later }),
          ).toBeUndefined();
        });
      });

      describe('a removed event', () => {
        it('is not got, found or read any more, and is known by the record that stays', async () => {
          const { entries } = await at.record(everySecond(4));
          await at.removeAll({ receivedBefore: noon + 2_000 });
          for (const { event } of entries.slice(0, 2)) {
            expect(await at.store.get(event.id)).toBeUndefined();
          }
          for (const window of [{}, { from: noon, to: noon + minuteMs }]) {
            for (const filter of [{}, { userIds: ['u1'] }, { eventTypes: ['purchase'] }]) {
              const query = { filter, ...window, order: 'asc' as const, limit: 10 };
              const page = await at.store.find(query);
              expect(page.events.map(({ event }) => event.id)).toEqual(idsOf(entries.slice(2)));
            }
          }
          const known = await at.store.getMany([...idsOf(entries), 'absent']);
          expect([...known.keys()].toSorted()).toEqual(idsOf(entries).toSorted());
          for (const [index, entry] of entries.entries()) {
            const event = index < 2 ? removedEventOf(entry.event) : bare(entry);
            expect(known.get(entry.event.id)).toMatchObject({ event, position: entry.position });
          }
        });

        it('is a duplicate when it comes again, with its timestamp and without', async () => {
          const { entries } = await at.record(everySecond(4));
          await at.removeAll({ receivedBefore: later });
          const [first, second] = entries.map(bare) as [Event, Event];
          const before = await at.total(noon, noon + minuteMs);
          const { recorded } = await at.record([
            { ...first, receivedAt: later },
            { ...second, receivedAt: later, timestamp: later },
          ]);
          expect(recorded).toEqual({ added: 0, duplicates: 2, conflicts: 0 });
          expect(await at.total(noon, noon + minuteMs)).toEqual(before);
          expect(await at.store.get(first.id)).toBeUndefined();
          expect((await at.store.getMany([first.id])).get(first.id)).toEqual({
            event: removedEventOf(first),
            position: entries[0]?.position,
          });
          expect(await at.store.conflicts(10)).toEqual([]);
        });

        it('is a duplicate also when it came without a timestamp at first', async () => {
          const { entries } = await at.record([
            anEvent({ timestamp: noon, receivedAt: noon }),
            ...everySecond(1),
          ]);
          await at.removeAll({ receivedBefore: later });
          const event = bare(entries[0] as LogEntry);
          const { recorded } = await at.record([
            { ...event, timestamp: noon + 5, receivedAt: later },
          ]);
          expect(recorded).toEqual({ added: 0, duplicates: 1, conflicts: 0 });
        });

        it('is in conflict with other content under its id, which is kept and never counted', async () => {
          const { entries } = await at.record(everySecond(3));
          await at.removeAll({ receivedBefore: later });
          const event = bare(entries[0] as LogEntry);
          const before = await at.total(0, later);
          const others = [
            { ...event, amount: 8n },
            { ...event, metadata: '{"a":1}' },
            { ...event, timestamp: event.timestamp + 1, receivedAt: later },
          ];
          const { entries: came, recorded } = await at.record(others);
          expect(recorded).toEqual({ added: 0, duplicates: 0, conflicts: 3 });
          expect(await at.store.conflicts(10)).toEqual(
            came.map((entry) => ({ shard, position: entry.position, event: bare(entry) })),
          );
          expect(await at.total(0, later)).toEqual(before);
          expect(await at.store.get(event.id)).toBeUndefined();
        });

        it('comes once more with others in one batch, and each is told apart', async () => {
          const { entries } = await at.record(everySecond(3));
          await at.removeAll({ receivedBefore: later });
          const [first, , last] = entries.map(bare) as [Event, Event, Event];
          const fresh = anEvent({ timestamp: noon + minuteMs, amount: 3n });
          const { recorded } = await at.record([
            first,
            fresh,
            { ...first, amount: 8n },
            last,
            fresh,
          ]);
          expect(recorded).toEqual({ added: 1, duplicates: 3, conflicts: 1 });
          expect(await at.total(noon + minuteMs, noon + 2 * minuteMs)).toEqual([
            ['purchase', 1, 3n],
          ]);
        });

        it('changes nothing when the log is read anew', async () => {
          const { entries } = await at.record(everySecond(6));
          await at.removeAll({ receivedBefore: noon + 4_000 });
          const before = [await at.store.retained(), await at.total(0, later), await at.left()];
          expect(await at.store.record(shard, entries)).toEqual({
            added: 0,
            duplicates: 0,
            conflicts: 0,
          });
          await at.store.resetPosition(shard, undefined);
          expect(await at.store.record(shard, entries)).toEqual({
            added: 0,
            duplicates: 6,
            conflicts: 0,
          });
          expect([await at.store.retained(), await at.total(0, later), await at.left()]).toEqual(
            before,
          );
          expect(await at.store.positions()).toEqual(new Map([[shard, entries[5]?.position]]));
        });

        it('is reached: what was counted of it stays counted', async () => {
          const { entries } = await at.record(everySecond(4));
          await at.removeAll({ receivedBefore: later });
          const { signal } = new AbortController();
          for (const { position } of entries)
            await at.store.reached(new Map([[shard, position]]), signal);
        });
      });

      describe('entriesAfter', () => {
        it('goes on behind the floor, and from the start with the oldest that is there', async () => {
          const { entries } = await at.record(everySecond(6));
          await at.removeAll({ receivedBefore: noon + 3_000 });
          const rest = entries.slice(3).map((entry) => ({ ...entry, event: bare(entry) }));
          expect(await at.store.entriesAfter(shard, 'start', 100)).toEqual(rest);
          const floor = entries[2]?.position as Position;
          expect(await at.store.entriesAfter(shard, floor, 100)).toEqual(rest);
          expect(await at.store.entriesAfter(shard, floor, 2)).toEqual(rest.slice(0, 2));
          expect(await at.store.entriesAfter(shard, entries[4]?.position as Position, 100)).toEqual(
            rest.slice(2),
          );
        });

        it('is gone for a place before the floor, naming it', async () => {
          const { entries } = await at.record(everySecond(6));
          await at.removeAll({ receivedBefore: noon + 3_000 });
          for (const { position } of entries.slice(0, 2)) {
            await expect(at.store.entriesAfter(shard, position, 10)).rejects.toMatchObject({
              code: 'position_gone',
              position: entries[2]?.position,
            });
          }
          const [unknown] = await at.entriesOf(someEvents(1));
          await expect(
            at.store.entriesAfter(shard, unknown?.position as Position, 10),
          ).rejects.toMatchObject({ code: 'position_gone' });
        });
      });

      retentionTotalsTests(at);
    });

    retentionModelTest(createHarness);
  });
}

function together(removals: readonly Removal[]): Removal | undefined {
  const [first] = removals;
  const last = removals.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const sum = (of: 'events' | 'minutes') => removals.reduce((all, each) => all + each[of], 0);
  return { ...last, oldest: first.oldest, events: sum('events'), minutes: sum('minutes') };
}
