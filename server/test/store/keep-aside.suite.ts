import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Position } from '../../src/log/event-log.ts';
import type { EventStore } from '../../src/store/event-store.ts';
import { anEvent } from '../support/build-event.ts';
import type { StoreHarness } from './event-store.suite.ts';
import { keepRemovedSuite } from './keep-removed.suite.ts';

/** What a store takes over of another hub's, for every adapter. */
export function keepAsideSuite(name: string, createHarness: () => Promise<StoreHarness>): void {
  describe(`what another hub kept beside its events, on ${name}`, () => {
    let harness: StoreHarness;
    let store: EventStore;

    beforeEach(async () => {
      harness = await createHarness();
      store = await harness.open();
    });
    afterEach(async () => {
      await store.close();
      await harness.destroy();
    });

    it('is kept once and as it was, counts nothing and moves nothing', async () => {
      const entries = await harness.entries([anEvent()], 1);
      await store.record('0', entries);
      const before = await store.verify();
      const elsewhere = { shard: 'of-another-log', position: 'elsewhere-7' as Position };
      const { idMadeByHub: _, ...event } = anEvent({ amount: 9n, metadata: '{"a":1}' });
      const conflicts = [
        { ...elsewhere, event },
        { ...elsewhere, position: 'elsewhere-8' as Position, event: { ...event, amount: 10n } },
      ];
      const unreadable = [{ ...elsewhere, reason: 'no JSON', raw: '{"amount":' }];
      await store.keepAside({ conflicts, unreadable });
      await store.keepAside({ conflicts, unreadable });
      await store.keepAside({ conflicts: [], unreadable: [] });
      expect(await store.conflicts(10)).toEqual(conflicts);
      expect(await store.unreadableEntries(10)).toEqual(unreadable);
      expect(await store.positions()).toEqual(new Map([['0', entries[0]?.position]]));
      expect(await store.get(event.id)).toBeUndefined();
      expect(await store.verify()).toEqual(before);
    });

    keepRemovedSuite(createHarness);
  });
}
