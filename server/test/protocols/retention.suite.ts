import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { formatInstant } from '../../src/base/clock.ts';
import type { NewEvent } from '../../src/event/event.ts';
import { minuteMs, minuteOf } from '../../src/event/minute.ts';
import { logShard } from '../../src/log/one-shard.ts';
import type { StoredEvent } from '../../src/store/event-store.ts';
import { anEvent } from '../support/build-event.ts';
import { append, trimRedis } from '../support/fill-place.ts';
import { type ModePlace, type NewPlace, within } from '../support/hub-places.ts';
import { parseFrame } from '../support/read-stream.ts';
import { get } from '../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { FeedReader } from './drivers/feed-reader.ts';
import { type Drivers, openDrivers } from './drivers/open-drivers.ts';
import {
  failureOf,
  type ProtocolDriver,
  Refused,
  type WindowQuery,
} from './drivers/protocol-driver.ts';
import { aSend } from './suite/hub-under-test.ts';

const dayMs = 24 * 60 * minuteMs;
const retentionMs = 100 * dayMs;
const oldDays = 200;
const oldMinutes = 10;
const perMinute = 6;
const oldCount = oldMinutes * perMinute;
/** More than the newest entries that a Redis log always holds. */
const freshCount = 130;

/** What clients see of a hub that has removed its old events, alike over every protocol. */
export function protocolRetentionSuite(name: string, newPlace: NewPlace): void {
  describe(`protocols after retention, ${name}`, () => {
    let place: ModePlace;
    let hub: TestHub;
    let drivers: Drivers;
    /** In log order, as they were before. */
    let old: readonly StoredEvent[];
    let start: number;
    const at = (minute: number, ms = 0) => formatInstant(start + minute * minuteMs + ms);

    beforeAll(async () => {
      place = await newPlace();
      start = minuteOf(Date.now() - oldDays * dayMs);
      await append(place, [...oldEvents(start), ...freshEvents()]);
      if (place.log.startsWith('redis')) await trimRedis(place.log);
      old = await within(place, async ({ store }) => {
        const page = await store.find({ filter: {}, order: 'asc', limit: oldCount });
        return page.events;
      });
      await open();
      await removed();
    });
    afterAll(async () => {
      await close();
      await place.destroy();
    });

    const open = async () => {
      const { log, store } = place;
      hub = await startTestHub({
        log,
        store,
        retentionMs,
        metrics: { host: '127.0.0.1', port: 0 },
      });
      drivers = openDrivers(hub);
    };
    const close = async () => {
      await drivers.close();
      await hub.remove();
    };
    /** The hub does it by itself, soon after its start. */
    const removed = () =>
      vi.waitFor(
        async () => {
          const { removedEvents } = await within(place, ({ store }) => store.retained());
          expect(removedEvents).toBe(oldCount);
        },
        { timeout: 30_000, interval: 100 },
      );
    const floor = () => positionAt(oldCount - 1);
    const positionAt = (index: number) => old[index]?.position ?? '';
    const sendOf = (index: number) => {
      const { event } = old[index] as StoredEvent;
      return {
        id: event.id,
        user_id: event.userId,
        event_type: event.eventType,
        amount: '2.5',
        currency: event.currency,
        timestamp: formatInstant(event.timestamp),
      };
    };
    const idsOf = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id);

    it('the totals of whole minutes are what they were', async () => {
      for (const driver of drivers.all) {
        const whole = await driver.aggregate({ from: at(0), to: at(oldMinutes) });
        expect(whole, driver.name).toMatchObject({ event_count: oldCount, total_amount: '150' });
        const two = await driver.aggregate({ from: at(3), to: at(5), event_type: 'refund' });
        expect(two, driver.name).toMatchObject({ event_count: 4, net_amount: '-10' });
      }
    });

    it('a window that needs their events is refused, and names the next whole minute', async () => {
      const cases: readonly (readonly [WindowQuery, string, number])[] = [
        [{ from: at(2, 1), to: at(20) }, '/from', 3],
        [{ from: at(-2), to: at(4, 30_000) }, '/to', 5],
        [{ from: at(0), to: at(20), user_id: 'u1' }, '/from', oldMinutes],
        [{ from: at(7, 59_999), to: at(8), user_id: 'u1', currency: 'EUR' }, '/from', 8],
      ];
      for (const [query, pointer, next] of cases) {
        for (const { name, aggregate, series } of drivers.all) {
          const inSteps = series && (() => series({ ...query, step: '1d' }));
          for (const ask of [() => aggregate(query), ...(inSteps ? [inSteps] : [])]) {
            const failure = await failureOf(ask());
            expect(failure, `${name} ${JSON.stringify(query)}`).toMatchObject({
              code: 'invalid',
              errors: [{ pointer, code: 'frozen_minute' }],
            });
            expect(failure.message).toContain(at(next));
          }
        }
        const taken =
          pointer === '/from' ? { ...query, from: at(next) } : { ...query, to: at(next) };
        if (taken.from === taken.to) continue;
        for (const { aggregate } of drivers.all) await aggregate(taken);
      }
    });

    it('the last so many minutes are refused by that name when they begin in a frozen one', async () => {
      const minutes = oldDays * 24 * 60 - oldMinutes / 2;
      for (const driver of drivers.all) {
        expect(await failureOf(driver.aggregate({ minutes })), driver.name).toMatchObject({
          code: 'invalid',
          errors: [{ pointer: '/minutes', code: 'frozen_minute' }],
        });
      }
    });

    it('an event that is gone is not found, and that says why', async () => {
      for (const driver of [drivers.rest, drivers.grpc]) {
        const gone = await failureOf(driver.get(sendOf(0).id));
        expect(gone, driver.name).toMatchObject({ code: 'not_found' });
        expect(gone.message).toContain('retention has removed');
        const never = await failureOf(driver.get('never-sent'));
        expect(never.message).not.toContain('retention');
      }
      expect(await failureOf(drivers.graphql.get(sendOf(0).id))).toMatchObject({
        code: 'not_found',
      });
      const { events } = await drivers.rest.list({ order: 'asc', limit: 1000 });
      expect(events).toHaveLength(freshCount);
    });

    it('a repeat of one is a duplicate with its first position, also to wait for', async () => {
      for (const [index, driver] of drivers.all.entries()) {
        const { id, timestamp: _, ...rest } = sendOf(index);
        for (const sent of [sendOf(index), { id, ...rest }]) {
          expect(await driver.send(sent), driver.name).toMatchObject({
            status: 'duplicate',
            id,
            position: positionAt(index),
          });
        }
        const batch = await driver.sendBatch([sendOf(index + 10)]);
        expect(batch.results).toMatchObject([
          { status: 'duplicate', position: positionAt(index + 10) },
        ]);
        await driver.aggregate({ minutes: 1, at_least: positionAt(index) });
      }
    });

    it('other content under its id is in conflict', async () => {
      for (const [index, driver] of drivers.all.entries()) {
        const sent = sendOf(index);
        const others = [
          { ...sent, amount: '2.6' },
          { ...sent, user_id: 'somebody' },
          { ...sent, metadata: { a: 1 } },
          { ...sent, timestamp: at(index, 777) },
        ];
        for (const other of others) {
          expect(await failureOf(driver.send(other)), driver.name).toMatchObject({
            code: 'conflict',
          });
        }
        const { results } = await driver.sendBatch([others[0] ?? {}, sent]);
        expect(results).toMatchObject([
          { status: 'rejected', error: { code: 'conflict' } },
          { status: 'duplicate' },
        ]);
      }
      expect(await drivers.rest.aggregate({ from: at(0), to: at(oldMinutes) })).toMatchObject({
        event_count: oldCount,
      });
    });

    const feed = async (driver: ProtocolDriver, after: string, count: number) => {
      const reader = new FeedReader(driver, { after, follow: true });
      try {
        return await reader.events(count);
      } finally {
        await reader.leave();
      }
    };

    it('a stream from before the floor is told the floor, and goes on from there', async () => {
      for (const driver of drivers.feeds) {
        for (const index of [0, oldCount - 2]) {
          const refused = await feed(driver, positionAt(index), 1).catch((reason) => reason);
          expect(refused, driver.name).toBeInstanceOf(Refused);
          expect(refused.failure.code).toBe('position_gone');
          expect(refused.position, driver.name).toBe(floor());
        }
        const rest = await feed(driver, floor(), freshCount);
        expect(idsOf(await feed(driver, 'start', freshCount))).toEqual(idsOf(rest));
        expect(idsOf(rest).some((id) => old.some(({ event }) => event.id === id))).toBe(false);
      }
    });

    it('an EventSource that comes back from before the floor gets it in a frame', async () => {
      const headers = { 'last-event-id': positionAt(1) };
      const { status, text } = await get(hub.url, '/events/stream', headers);
      expect(status).toBe(200);
      const frame = parseFrame(text.split('\n\n')[0] ?? '');
      expect(frame).toMatchObject({ event: 'error' });
      expect(JSON.parse(frame.data ?? '')).toMatchObject({
        code: 'position_gone',
        position: floor(),
      });
    });

    it('a late event is counted in its frozen minute', async () => {
      const late = { amount: '4', currency: 'EUR', timestamp: at(6, 500) };
      const window = { from: at(6), to: at(7) };
      const before = await drivers.rest.aggregate(window);
      for (const driver of drivers.all) {
        const { position } = await driver.send(aSend(late));
        await driver.aggregate({ ...window, at_least: position });
      }
      for (const driver of drivers.all) {
        expect(await driver.aggregate(window), driver.name).toMatchObject({
          event_count: before.event_count + 3,
          total_amount: String(Number(before.total_amount) + 12),
        });
      }
    });

    it('the metrics say what was removed', async () => {
      const { text } = await get(hub.metricsUrl, '/metrics');
      expect(text).toMatch(/^event_hub_removed_events_total \d+$/m);
      expect(text).toMatch(/^event_hub_frozen_totals \d+$/m);
    });

    it('holds after a restart, and the other counts are still verified', async () => {
      await close();
      await open();
      await within(place, async ({ store }) => {
        expect(await store.verify()).toEqual([]);
        expect(await store.rebuild()).toBe(0);
        const { floors, removedEvents, frozenMinutes } = await store.retained();
        expect(floors).toEqual(new Map([[logShard, floor()]]));
        expect([removedEvents, frozenMinutes]).toEqual([oldCount, oldMinutes]);
      });
      for (const driver of drivers.all) {
        expect(await driver.send(sendOf(20))).toMatchObject({
          status: 'duplicate',
          position: positionAt(20),
        });
        const changed = { ...sendOf(20), amount: '1' };
        expect(await failureOf(driver.send(changed))).toMatchObject({ code: 'conflict' });
        expect(await failureOf(driver.aggregate({ from: at(2, 1), to: at(20) }))).toMatchObject({
          errors: [{ code: 'frozen_minute' }],
        });
      }
      const refused = await feed(drivers.rest, positionAt(0), 1).catch((reason) => reason);
      expect(refused.position).toBe(floor());
    });
  });
}

/** Of one user each second, received when they happened. */
function oldEvents(start: number): readonly NewEvent[] {
  return Array.from({ length: oldCount }, (_, index) => {
    const minute = Math.floor(index / perMinute);
    const timestamp = start + minute * minuteMs + (index % perMinute) * 1_000 + 1;
    return anEvent({
      userId: `u${index % 3}`,
      eventType: index % 3 === 0 ? 'refund' : 'purchase',
      amount: 2_500_000n,
      timestamp,
      receivedAt: timestamp + 5,
    });
  });
}

function freshEvents(): readonly NewEvent[] {
  const timestamp = Date.now() - 60 * minuteMs;
  return Array.from({ length: freshCount }, (_, index) =>
    anEvent({ amount: 1_000_000n, timestamp: timestamp + index, receivedAt: timestamp + index }),
  );
}
