import { beforeEach, describe, expect, it } from 'vitest';
import { newApiKey } from '../../src/auth/api-key.ts';
import { Audit } from '../../src/auth/audit.ts';
import { KeyRing } from '../../src/auth/key-ring.ts';
import { HubError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Access, KeyStore, StoredKey } from '../../src/store/key-store.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';

const noon = Date.UTC(2026, 5, 30, 12);
const graceMs = 5_000;

/** A store in memory that can be away: what the ring makes of it is the point here. */
class FlakyKeys implements KeyStore {
  isClosed = false;
  isAway = false;
  keys: StoredKey[] = [];
  uses = new Map<string, number>();

  async access(): Promise<Access> {
    if (this.isAway) throw new HubError('unavailable', 'the store is away');
    return { isClosed: this.isClosed, keys: [...this.keys] };
  }

  async add(key: StoredKey): Promise<void> {
    this.isClosed = true;
    this.keys.push(key);
  }

  async expire(): Promise<void> {}

  async revoke(ids: readonly string[], at: number): Promise<void> {
    this.keys = this.keys.map((key) => (ids.includes(key.id) ? { ...key, revokedAt: at } : key));
  }

  async noteUses(uses: ReadonlyMap<string, number>): Promise<void> {
    for (const [id, at] of uses) this.uses.set(id, at);
  }

  async reopen(): Promise<void> {
    this.isClosed = false;
  }
}

describe('the key ring', () => {
  let clock: ManualClock;
  let store: FlakyKeys;
  let ring: KeyRing;

  beforeEach(async () => {
    clock = manualClock(noon);
    store = new FlakyKeys();
    const audit = new Audit({ logger: silentLogger, clock });
    ring = new KeyRing({ keys: store, clock, audit, anonymous: 'served', graceMs });
    await ring.begin();
  });

  const make = async (members: Partial<StoredKey> = {}) => {
    const { id, text, hash } = newApiKey();
    const ends = { expiresAt: undefined, revokedAt: undefined, lastUsedAt: undefined };
    const wanted = { name: 'shop', scopes: ['events:write'], eventTypes: undefined };
    await store.add({ id, hash, ...wanted, createdAt: noon, ...ends, ...members });
    await clock.advance(1_000);
    return { id, text };
  };
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
    await clock.advance(1_000);
    expect(await withKey(text)).toBe('unauthenticated');
    expect(caller.ended.aborted).toBe(true);
    expect(await outcome(() => caller.assertCurrent())).toBe('unauthenticated');
  });

  it('ends a key at its time, to the millisecond for calls', async () => {
    const { text } = await make({ expiresAt: noon + 2_500 });
    const caller = await ring.callerOf(text);
    await clock.advance(1_499);
    expect(await withKey(text)).toBe('in');
    await clock.advance(1);
    expect(await withKey(text)).toBe('unauthenticated');
    await clock.advance(1_000);
    expect(caller.ended.aborted).toBe(true);
  });

  it('ends a key that is no longer in the store', async () => {
    const { text } = await make();
    const caller = await ring.callerOf(text);
    store.keys = [];
    await clock.advance(1_000);
    expect(await withKey(text)).toBe('unauthenticated');
    expect(caller.ended.aborted).toBe(true);
  });

  it('keeps letting in whom it knows while the store is away, for the grace and no longer', async () => {
    const { text } = await make();
    const caller = await ring.callerOf(text);
    store.isAway = true;
    await clock.advance(graceMs);
    expect(await withKey(text)).toBe('in');
    await clock.advance(1);
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
    await clock.advance(graceMs + 1);
    expect(await anonymous()).toBe('unavailable');
  });

  it('lets nobody in before it has read the store', async () => {
    store.isAway = true;
    const audit = new Audit({ logger: silentLogger, clock });
    const late = new KeyRing({ keys: store, clock, audit, anonymous: 'served', graceMs });
    await expect(late.begin()).rejects.toMatchObject({ code: 'unavailable' });
    expect(await outcome(() => late.anonymous())).toBe('unavailable');
    store.isAway = false;
    await clock.advance(1_000);
    expect(await outcome(() => late.anonymous())).toBe('in');
    await late.stop();
  });

  it('stays closed without a key until it is reopened', async () => {
    await make();
    store.keys = [];
    await clock.advance(1_000);
    expect(await anonymous()).toBe('unauthenticated');
    await store.reopen();
    await clock.advance(1_000);
    expect(await anonymous()).toBe('in');
  });

  it('writes down the last use, at once and then once a minute', async () => {
    const { id, text } = await make();
    await ring.callerOf(text);
    const used = clock.now();
    await clock.advance(1_000);
    expect(store.uses.get(id)).toBe(used);
    store.keys = store.keys.map((key) => ({ ...key, lastUsedAt: used }));
    await clock.advance(1_000);
    await ring.callerOf(text);
    await clock.advance(1_000);
    expect(store.uses.get(id)).toBe(used);
    await clock.advance(60_000);
    await ring.callerOf(text);
    const later = clock.now();
    await clock.advance(1_000);
    expect(store.uses.get(id)).toBe(later);
  });
});
