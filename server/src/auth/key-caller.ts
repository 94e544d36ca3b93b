import type { Clock, Instant } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import type { StoredKey } from '../store/key-store.ts';
import { type Action, actions, type Caller, expandScopes, refusedCredential } from './caller.ts';

/** Who calls with one API key: the same object for all its calls, which ends when the key does. */
export class KeyCaller implements Caller {
  readonly name: string;
  readonly account: string;
  readonly actions: ReadonlySet<Action>;
  readonly eventTypes: ReadonlySet<string> | undefined;
  /** As the store has it; scopes and types of a key never change. */
  key: StoredKey;
  readonly #clock: Clock;
  readonly #assertFresh: () => void;
  readonly #ended = new AbortController();
  /** Since they were last asked for. */
  #calls = 0;
  #usedAt: Instant | undefined;

  constructor(key: StoredKey, clock: Clock, assertFresh: () => void) {
    this.key = key;
    this.name = `key ${key.name}`;
    this.account = `key:${key.id}`;
    this.actions = expandScopes(actions.filter((action) => key.scopes.includes(action)));
    this.eventTypes = key.eventTypes === undefined ? undefined : new Set(key.eventTypes);
    this.#clock = clock;
    this.#assertFresh = assertFresh;
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  get isOver(): boolean {
    return isOver(this.key, this.#clock.now()) || this.#ended.signal.aborted;
  }

  /** Throws `unauthenticated` when the key was revoked or has run out. */
  assertHolds(): void {
    if (this.isOver) throw refusedCredential(`${this.name} (${this.key.id}) has ended`);
  }

  assertCurrent(): void {
    this.assertHolds();
    this.#assertFresh();
  }

  noteUse(): void {
    this.#calls += 1;
    this.#usedAt = this.#clock.now();
  }

  /** The last use and the calls since the one before, when that is at least `everyMs` ago. */
  takeUse(everyMs: number): { readonly at: Instant; readonly calls: number } | undefined {
    const at = this.#usedAt;
    if (at === undefined || this.#calls === 0) return undefined;
    if (at - (this.key.lastUsedAt ?? 0) < everyMs) return undefined;
    const calls = this.#calls;
    this.#calls = 0;
    return { at, calls };
  }

  /** They could not be written down. */
  untakeUse(calls: number): void {
    this.#calls += calls;
  }

  /** True when the key's time is over; its streams end then. */
  endWhenOver(): boolean {
    if (!this.isOver) return false;
    this.end();
    return true;
  }

  end(): void {
    const reason = new HubError('unauthenticated', 'the credential was revoked or has run out');
    if (!this.#ended.signal.aborted) this.#ended.abort(reason);
  }
}

export function isOver(
  { revokedAt, expiresAt }: Pick<StoredKey, 'revokedAt' | 'expiresAt'>,
  now: Instant,
): boolean {
  return revokedAt !== undefined || (expiresAt !== undefined && expiresAt <= now);
}
