import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { canonicalJson, parseJson } from '../../src/base/json.ts';
import { limits } from '../../src/base/limits.ts';
import { totalsOf } from '../../src/cli/copy/totals.ts';
import type { Event, NewEvent } from '../../src/event/event.ts';
import type { Position } from '../../src/log/event-log.ts';
import { logShard } from '../../src/log/one-shard.ts';
import { anEvent, someEvents } from '../support/build-event.ts';
import { append, trimRedis } from '../support/fill-place.ts';
import { type Place, within } from '../support/hub-places.ts';
import { type CliResult, runCli, startCli } from '../support/run-cli.ts';

const everything = Number.MAX_SAFE_INTEGER;

/** `event-hub copy` between two kinds of places. */
export function copySuite(
  name: string,
  newSource: () => Promise<Place>,
  newTarget: () => Promise<Place>,
): void {
  describe(`event-hub copy from ${name}`, () => {
    let source: Place;
    let target: Place;

    beforeEach(async () => {
      source = await newSource();
      target = await newTarget();
    });
    afterEach(async () => {
      await source.destroy();
      await target.destroy();
    });

    const copy = (...more: readonly string[]) => runCli(copyArgs(source, target, more));

    it('keeps every field of every event, and the order', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(events, { minLength: 1, maxLength: 30 }), async (given) => {
          const sent = [...new Map(given.map((event) => [event.id, event])).values()];
          await append(source, sent);
          expect(await copy()).toMatchObject({ code: 0 });
          expect(await stored(target)).toEqual(await stored(source));
        }),
        { numRuns: 2 },
      );
      const known = (await stored(source)).length;
      const again = await copy();
      expect(again.stderr).toContain('0 events copied');
      expect(await stored(target)).toHaveLength(known);
    });

    it('takes conflicts and unreadable entries along', async () => {
      const [first, ...others] = someEvents(5);
      await append(source, [first as NewEvent, ...others]);
      const { idMadeByHub: _, ...event } = { ...(first as NewEvent), amount: 1n };
      const place = { shard: '0', position: 'a-place-of-the-source' as Position };
      await within(source, async ({ store }) => {
        await store.keepAside({
          conflicts: [{ ...place, event }],
          unreadable: [{ ...place, reason: 'no JSON', raw: '{' }],
        });
      });
      expect(await copy()).toMatchObject({ code: 0 });
      expect(await copy()).toMatchObject({ code: 0 });
      await within(target, async ({ store }) => {
        expect(await store.conflicts(everything)).toEqual([{ ...place, event }]);
        expect(await store.unreadableEntries(everything)).toEqual([
          { ...place, reason: 'no JSON', raw: '{' },
        ]);
      });
    });

    it('takes along what retention left, also of what it removes between two runs', async () => {
      const noon = Date.UTC(2026, 5, 1, 12, 0, 0);
      const sent = Array.from({ length: 160 }, (_, index) =>
        anEvent({
          eventType: index % 3 === 0 ? 'refund' : 'purchase',
          amount: BigInt(index),
          timestamp: noon + index * 10_000,
          receivedAt: noon + index * 10_000 + 1,
        }),
      );
      await append(source, sent);
      if (source.log.startsWith('redis')) await trimRedis(source.log);
      const remove = (count: number) =>
        within(source, ({ store }) =>
          store.removeOldest(logShard, { receivedBefore: Date.now() }, count),
        );
      await remove(20);
      expect(await copy()).toMatchObject({ code: 0 });
      expect(await stored(target)).toEqual(await stored(source));
      expect(await byMinute(target)).toEqual(await byMinute(source));
      await remove(15);
      const again = await copy();
      expect(again).toMatchObject({ code: 0 });
      expect(again.stderr).toContain('0 events copied');
      expect(await byMinute(target)).toEqual(await byMinute(source));
      await within(target, async ({ store }) => {
        expect(await store.verify()).toEqual([]);
        const known = await store.getMany(sent.map(({ id }) => id));
        expect(known.size).toBe(sent.length);
      });
      await append(target, sent.slice(0, 30));
      expect(await stored(target)).toHaveLength(140);
      expect(await byMinute(target)).toEqual(await byMinute(source));
    });

    it('completes without doubling when it was killed midway', async () => {
      await append(source, someEvents(8_000, { amount: 1_000_000n }));
      const running = startCli(copyArgs(source, target));
      await vi.waitFor(
        () => within(target, async ({ log }) => expect(await log.end()).toBeDefined()),
        { timeout: 30_000, interval: 5 },
      );
      running.process.kill('SIGKILL');
      await running.result;
      const again = await untilFree(copy);
      expect(again).toMatchObject({ code: 0 });
      expect(await stored(target)).toEqual(await stored(source));
      await within(target, async ({ store }) => {
        expect([...(await totalsOf(store)).values()]).toEqual([
          { eventCount: 8_000, total: 8_000_000_000n },
        ]);
        expect(await store.verify()).toEqual([]);
      });
    });

    it('counts nothing twice where the target has some of the ids', async () => {
      const all = someEvents(50);
      await append(source, all);
      await append(target, all.slice(20, 30).reverse());
      const result = await copy();
      expect(result.stderr).toContain('40 events copied');
      expect(result).toMatchObject({ code: 0 });
      await within(target, async ({ store }) => expect(await store.verify()).toEqual([]));
    });

    it('says what differs, with exit code 1', async () => {
      const [first, second] = someEvents(2, { amount: 5_000_000n });
      await append(source, [first as NewEvent, second as NewEvent]);
      await append(target, [{ ...(second as NewEvent), amount: 7_000_000n }]);
      const result = await copy();
      expect(result.code).toBe(1);
      expect(result.stderr).toContain(
        'purchase EUR: 2 events with 10 in the source, 2 events with 12 in the target',
      );
      await within(target, async ({ store }) => {
        const [conflict] = await store.conflicts(everything);
        expect(conflict?.event).toMatchObject({ id: second?.id, amount: 5_000_000n });
      });
    });

    it('follows until interrupted, and compares then', async () => {
      await append(source, someEvents(10));
      const running = startCli(copyArgs(source, target, ['--follow']));
      await running.until(/following it/, 'stderr');
      await append(source, someEvents(10));
      running.process.kill('SIGINT');
      const { code, stderr } = await running.result;
      expect(stderr).toContain('20 events copied');
      expect(code).toBe(0);
      expect(await stored(target)).toEqual(await stored(source));
    });
  });
}

export function copyArgs(
  source: Place,
  target: Place,
  more: readonly string[] = [],
): readonly string[] {
  const to = ['--to', target.log, '--to-store', target.store];
  return ['copy', '--from', source.log, '--from-store', source.store, ...to, ...more];
}

/** All totals, by minutes. */
async function byMinute(place: Place) {
  const window = { from: Date.UTC(2026, 5, 1), to: Date.UTC(2026, 5, 2), stepMs: 60_000 };
  const { buckets } = await within(place, ({ store }) =>
    store.aggregate({ ...window, filter: {} }),
  );
  return buckets;
}

/** In log order. */
export async function stored(place: Place): Promise<readonly Event[]> {
  return await within(place, async ({ store }) => {
    const found: Event[] = [];
    for (let after: string | undefined, hasMore = true; hasMore; ) {
      const page = await store.find({
        filter: {},
        order: 'asc',
        limit: limits.pageEvents,
        ...(after === undefined ? {} : { after }),
      });
      found.push(...page.events.map(({ event }) => event));
      after = page.events.at(-1)?.listKey;
      hasMore = page.hasMore;
    }
    return found;
  });
}

/** What was killed has its leases for some seconds more. */
async function untilFree(copy: () => Promise<CliResult>): Promise<CliResult> {
  return await vi.waitFor(
    async () => {
      const result = await copy();
      if (result.code === 2) throw new Error(result.stderr);
      return result;
    },
    { timeout: 40_000, interval: 500 },
  );
}

const text = (maxLength: number) =>
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength })
    .map((made) => made.replace(/\p{C}/gu, 'x'));

const events: fc.Arbitrary<NewEvent> = fc
  .record({
    id: fc.uuid(),
    userId: text(20),
    eventType: fc.constantFrom('purchase', 'return', 'refund'),
    amount: fc.oneof(fc.bigInt(0n, 999_999_999_999_000_000n), fc.constant(1n)),
    currency: fc.constantFrom('EUR', 'XXX', 'JPY'),
    timestamp: fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2026, 0, 1) }),
    receivedAt: fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 6, 1) }),
    metadata: fc.option(
      fc
        .dictionary(
          fc.stringMatching(/^[a-z_]{1,8}$/),
          fc.oneof(fc.integer(), text(5), fc.boolean(), fc.constant(0.1), fc.constant(null)),
          { minKeys: 1, maxKeys: 4 },
        )
        .map((made) => canonicalJson(parseJson(JSON.stringify(made)))),
      { nil: undefined },
    ),
  })
  .map((fields) => anEvent(fields));
