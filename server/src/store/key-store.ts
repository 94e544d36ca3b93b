import type { Instant } from '../base/clock.ts';

/** An API key as it is kept: without its secret. */
export interface StoredKey {
  /** The public part of the key. */
  readonly id: string;
  /** What people call it; a rotated key and the one in its place have the same. */
  readonly name: string;
  /** Of the whole key, so that nobody who reads the store can use it. */
  readonly hash: string;
  readonly scopes: readonly string[];
  /** The only types of events that it may send and see; undefined for all. */
  readonly eventTypes: readonly string[] | undefined;
  readonly createdAt: Instant;
  readonly expiresAt: Instant | undefined;
  readonly revokedAt: Instant | undefined;
  /** To the minute; undefined before the first use. */
  readonly lastUsedAt: Instant | undefined;
}

/** All that decides who may come in. */
export interface Access {
  /** A key has ever been made, and the hub was not opened again since: nobody comes in without a credential. */
  readonly isClosed: boolean;
  /** Oldest first, ended ones among them. */
  readonly keys: readonly StoredKey[];
}

/** API keys, which all processes on one store share. */
export interface KeyStore {
  access(): Promise<Access>;
  /** Closes the hub for good, then keeps the key. Keys that ended before `forgetEndedBefore` go. */
  add(key: StoredKey, forgetEndedBefore: Instant): Promise<void>;
  /** The keys hold no longer than until then; one that ends earlier by itself is left as it is. */
  expire(ids: readonly string[], at: Instant): Promise<void>;
  /** For good; the first revocation's time stays. */
  revoke(ids: readonly string[], at: Instant): Promise<void>;
  /** When each of these keys was used last; an earlier time than is kept changes nothing. */
  noteUses(uses: ReadonlyMap<string, Instant>): Promise<void>;
  /** Undoes the closing: as before the first key. The keys stay. */
  reopen(): Promise<void>;
}
