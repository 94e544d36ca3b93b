import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore } from '../../src/store/event-store.ts';
import type { KeyStore, StoredKey } from '../../src/store/key-store.ts';

export interface KeyStoreHarness {
  /** Opens this test's store; a second call after a close sees what the first one wrote. */
  open(): Promise<EventStore>;
  destroy(): Promise<void>;
}

const noon = Date.UTC(2026, 5, 30, 12);
const long = Date.UTC(2020, 0, 1);

/** The promises of the port `KeyStore`, for every adapter. */
export function keyStoreSuite(name: string, createHarness: () => Promise<KeyStoreHarness>): void {
  describe(`key store ${name}`, () => {
    let harness: KeyStoreHarness;
    let store: EventStore;
    let keys: KeyStore;

    beforeEach(async () => {
      harness = await createHarness();
      store = await harness.open();
      ({ keys } = store);
    });
    afterEach(async () => {
      await store.close();
      await harness.destroy();
    });

    it('is open and empty before the first key', async () => {
      expect(await keys.access()).toEqual({ isClosed: false, keys: [] });
    });

    it('is closed by the first key, and gives keys back as they were made, oldest first', async () => {
      const full = aKey('b', {
        createdAt: noon,
        expiresAt: noon + 1,
        revokedAt: noon + 2,
        lastUsedAt: noon + 3,
        eventTypes: ['purchase', 'refund'],
      });
      const plain = aKey('a', { createdAt: noon + 1 });
      await keys.add(full, long);
      await keys.add(plain, long);
      expect(await keys.access()).toEqual({ isClosed: true, keys: [full, plain] });
    });

    it('knows its keys and that it is closed after it was opened again', async () => {
      await keys.add(aKey('a'), long);
      await store.close();
      store = await harness.open();
      expect(await store.keys.access()).toEqual({ isClosed: true, keys: [aKey('a')] });
    });

    it('stays closed when its last key is revoked, and opens only by being reopened', async () => {
      await keys.add(aKey('a'), long);
      await keys.revoke(['a'], noon);
      expect((await keys.access()).isClosed).toBe(true);
      await keys.reopen();
      expect(await keys.access()).toEqual({
        isClosed: false,
        keys: [aKey('a', { revokedAt: noon })],
      });
      await keys.add(aKey('b'), long);
      expect((await keys.access()).isClosed).toBe(true);
    });

    it('keeps the first revocation and the earliest end', async () => {
      await keys.add(aKey('a', { expiresAt: noon }), long);
      await keys.add(aKey('b'), long);
      await keys.expire(['a', 'b'], noon + 5);
      await keys.expire(['b'], noon + 9);
      await keys.revoke(['a'], noon + 1);
      await keys.revoke(['a', 'b'], noon + 2);
      const found = (await keys.access()).keys.map(({ id, expiresAt, revokedAt }) => [
        id,
        expiresAt,
        revokedAt,
      ]);
      expect(found).toEqual([
        ['a', noon, noon + 1],
        ['b', noon + 5, noon + 2],
      ]);
    });

    it('keeps the latest use, whichever process tells it last', async () => {
      await keys.add(aKey('a'), long);
      await keys.noteUses(
        new Map([
          ['a', noon + 5],
          ['unknown', noon],
        ]),
      );
      await keys.noteUses(new Map([['a', noon]]));
      expect((await keys.access()).keys.map(({ lastUsedAt }) => lastUsedAt)).toEqual([noon + 5]);
    });

    it('forgets keys that ended long ago when one is added, and no others', async () => {
      await keys.add(aKey('expired', { expiresAt: long - 1 }), 0);
      await keys.add(aKey('revoked', { revokedAt: long - 1 }), 0);
      await keys.add(aKey('lately', { revokedAt: long }), 0);
      await keys.add(aKey('new'), long);
      const ids = (await keys.access()).keys.map(({ id }) => id);
      expect(ids.toSorted()).toEqual(['lately', 'new']);
    });
  });
}

function aKey(id: string, members: Partial<StoredKey> = {}): StoredKey {
  return {
    id,
    name: `key ${id}`,
    hash: `hash of ${id}`,
    scopes: ['events:write', 'metrics:read'],
    eventTypes: undefined,
    createdAt: noon,
    expiresAt: undefined,
    revokedAt: undefined,
    lastUsedAt: undefined,
    ...members,
  };
}
