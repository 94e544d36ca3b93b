import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newApiKey } from '../../src/auth/api-key.ts';
import { Audit } from '../../src/auth/audit.ts';
import { KeyRing } from '../../src/auth/key-ring.ts';
import { yieldTurn } from '../../src/base/clock.ts';
import { HubError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { EventStore } from '../../src/store/event-store.ts';
import type { Access, KeyStore, StoredKey } from '../../src/store/key-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';
import { openBeside } from '../support/open-beside.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

const noon = Date.UTC(2026, 5, 30, 12);
const graceMs = 5_000;

/** A real store's keys, which can be away. */
class KeysAway implements KeyStore {
  isAway = false;
  /** Resolves when the last look is over. */
  looked: Promise<unknown> = Promise.resolve();
  readonly #keys: KeyStore;

  constructor(keys: KeyStore) {
    this.#keys = keys;
  }

  access(): Promise<Access> {
    const access = this.isAway
      ? Promise.reject(new HubError('unavailable', 'the store is away'))
      : this.#keys.access();
    this.looked = access.catch(() => undefined);
    return access;
  }

  add(key: StoredKey): Promise<void> {
    return this.#keys.add(key, 0);
  }

  expire(ids: readonly string[], at: number): Promise<void> {
    return this.#keys.expire(ids, at);
  }

  revoke(ids: readonly string[], at: number): Promise<void> {
    return this.#keys.revoke(ids, at);
  }

  noteUses(uses: ReadonlyMap<string, number>): Promise<void> {
    const noted = this.#keys.noteUses(uses);
    this.looked = noted;
    return noted;
  }

  reopen(): Promise<void> {
    return this.#keys.reopen();
  }
}

describe('the key ring', () => {
  let clock: ManualClock;
  let folder: TemporaryFolder;
  let file: EventStore;
  let store: KeysAway;
  let ring: KeyRing;

  beforeEach(async () => {
    clock = manualClock(noon);
    folder = temporaryFolder();
    file = await openSqliteStore(`sqlite:${join(folder.path, 'hub.db')}`, { exclusive: true });
    store = new KeysAway(file.keys);
    const audit = new Audit({ logger: silentLogger, clock });
    ring = new KeyRing({ keys: store, clock, audit, anonymous: 'served', graceMs });
    await ring.begin();
  });
  afterEach(async () => {
    await ring.stop();
    await file.close();
    folder.remove();
  });

  /** Until what is due then has been done. */
  const advance = async (ms: number) => {
    await clock.advance(ms);
    let looked: unknown;
    while (looked !== store.looked) {
      looked = store.looked;
      await store.looked;
      await yieldTurn();
    }
  };
  const make = async (members: Partial<StoredKey> = {}) => {
    const { id, text, hash } = newApiKey();
    const ends = { expiresAt: undefined, revokedAt: undefined, lastUsedAt: undefined };
    const wanted = { name: 'shop', scopes: ['events:write'], eventTypes: undefined };
    await store.add({ id, hash, ...wanted, createdAt: noon, ...ends, ...members });
    await advance(1_000);
    return { id, text };
  };
  /** As when keys that ended long ago are forgotten. */
  const forget = async (id: string) => {
    await store.revoke([id], 1);
    withDatabase((database) => database.prepare('DELETE FROM api_keys WHERE id = ?').run(id));
    await advance(1_000);
  };
  const withDatabase = (use: (database: DatabaseSync) => void) => {
    const database = openBeside(join(folder.path, 'hub.db'));
    use(database);
    database.close();
  };
  const lastUse = async (id: string) =>
    (await file.keys.access()).keys.find((key) => key.id === id)?.lastUsedAt;
  const outcome = async (find: () => unknown) => {
    try {
      await find();
      return 'in';
    } catch (reason) {
      return HubError.from(reason).code;
    }
  };
  const anonymous = () => outcome(() => ring.anonymous());
  const withKey = (text: string) => outcome(() => ring.callerOf(text));

  it('lets everybody in until the first key, and then only who has one', async () => {
    expect(await anonymous()).toBe('in');
    const { text } = await make();
    expect(await anonymous()).toBe('unauthenticated');
    expect(await withKey(text)).toBe('in');
    expect(await withKey(newApiKey().text)).toBe('unauthenticated');
    expect(await withKey('eh_live_x')).toBe('unauthenticated');
  });

  it('ends what an anonymous caller has begun when the first key is made', async () => {
    const caller = await ring.anonymous();
    await make();
    expect(caller.ended.aborted).toBe(true);
    expect(await outcome(() => caller.assertCurrent())).toBe('unauthenticated');
  });

  it('ends a revoked key, and what it has begun', async () => {
    const { id, text } = await make();
    const caller = await ring.callerOf(text);
    await store.revoke([id], clock.now());
    await advance(1_000);
    expect(await withKey(text)).toBe('unauthenticated');
    expect(caller.ended.aborted).toBe(true);
    expect(await outcome(() => caller.assertCurrent())).toBe('unauthenticated');
  });

  it('ends a key at its time, to the millisecond for calls', async () => {
    const { text } = await make({ expiresAt: noon + 2_500 });
    const caller = await ring.callerOf(text);
    await advance(1_499);
    expect(await withKey(text)).toBe('in');
    await advance(1);
    expect(await withKey(text)).toBe('unauthenticated');
    await advance(1_000);
    expect(caller.ended.aborted).toBe(true);
  });

  it('ends what an expired key has begun also while the store is away', async () => {
    const { text } = await make({ expiresAt: noon + 2_500 });
    const caller = await ring.callerOf(text);
    store.isAway = true;
    await clock.advance(3_000);
    expect(caller.ended.aborted).toBe(true);
    expect(await outcome(() => caller.assertCurrent())).toBe('unauthenticated');
  });

  it('ends a key that is no longer in the store', async () => {
    const { id, text } = await make();
    const caller = await ring.callerOf(text);
    await forget(id);
    expect(await withKey(text)).toBe('unauthenticated');
    expect(caller.ended.aborted).toBe(true);
  });

  it('keeps letting in whom it knows while the store is away, for the grace and no longer', async () => {
    const { text } = await make();
    const caller = await ring.callerOf(text);
    store.isAway = true;
    await advance(graceMs);
    expect(await withKey(text)).toBe('in');
    await advance(1);
    expect(await withKey(text)).toBe('unavailable');
    expect(await anonymous()).toBe('unavailable');
    expect(await outcome(() => caller.assertCurrent())).toBe('unavailable');
    store.isAway = false;
    expect(await withKey(text)).toBe('in');
    expect(await outcome(() => caller.assertCurrent())).toBe('in');
  });

  it('lets nobody in while the store is away, anonymous callers of an open hub included', async () => {
    expect(await anonymous()).toBe('in');
    store.isAway = true;
    await advance(graceMs + 1);
    expect(await anonymous()).toBe('unavailable');
  });

  it('lets nobody in before it has read the store', async () => {
    store.isAway = true;
    const audit = new Audit({ logger: silentLogger, clock });
    const late = new KeyRing({ keys: store, clock, audit, anonymous: 'served', graceMs });
    await expect(late.begin()).rejects.toMatchObject({ code: 'unavailable' });
    expect(await outcome(() => late.anonymous())).toBe('unavailable');
    store.isAway = false;
    await advance(1_000);
    expect(await outcome(() => late.anonymous())).toBe('in');
    await late.stop();
  });

  it('stays closed without a key until it is reopened', async () => {
    await forget((await make()).id);
    expect((await file.keys.access()).keys).toEqual([]);
    expect(await anonymous()).toBe('unauthenticated');
    await store.reopen();
    await advance(1_000);
    expect(await anonymous()).toBe('in');
  });

  it('writes down the last use, at once and then once a minute', async () => {
    const { id, text } = await make();
    await ring.callerOf(text);
    const used = clock.now();
    await advance(1_000);
    expect(await lastUse(id)).toBe(used);
    await advance(1_000);
    await ring.callerOf(text);
    await advance(1_000);
    expect(await lastUse(id)).toBe(used);
    await advance(60_000);
    await ring.callerOf(text);
    const later = clock.now();
    await advance(1_000);
    expect(await lastUse(id)).toBe(later);
  });
});
