import type { Clock } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { within } from '../base/within.ts';
import type { Access, KeyStore } from '../store/key-store.ts';
import { AnonymousCaller } from './anonymous-caller.ts';
import { hashOfApiKey, idOfApiKey, isSameHash } from './api-key.ts';
import type { Audit } from './audit.ts';
import { type Caller, refusedCredential } from './caller.ts';
import { KeyCaller } from './key-caller.ts';

export interface KeyRingDeps {
  readonly keys: KeyStore;
  readonly clock: Clock;
  readonly audit: Audit;
  /** Whether anonymous calls are served while no key was ever made; else why not. */
  readonly anonymous: 'served' | HubError;
  /** How old what was read may be: longer only while the store is away. */
  readonly graceMs: number;
}

/**
 * Who may come in, as the store says it: a key that was made counts, and one
 * that was revoked is refused, within seconds in every process. While the store
 * is away what was read before holds for `graceMs`; then, and for a process that
 * has not read it yet, everybody is `unavailable`.
 */
export class KeyRing {
  readonly #deps: KeyRingDeps;
  readonly #callers = new Map<string, KeyCaller>();
  #anonymous: AnonymousCaller;
  #access: Access | undefined;
  /** When the look that `#access` comes from began. */
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #noting: Promise<void> | undefined;
  #stopPolling: (() => void) | undefined;

  constructor(deps: KeyRingDeps) {
    this.#deps = deps;
    this.#anonymous = this.#newAnonymous();
  }

  /** Looks for the first time, and from then on again and again. Rejects when the first look fails. */
  async begin(): Promise<void> {
    const { clock } = this.#deps;
    this.#stopPolling ??= clock.every(limits.accessEveryMs, () => {
      // A key runs out whether the store answers or not.
      this.#endWhatIsOver();
      this.#read().catch(() => undefined);
    });
    await this.#read();
  }

  async stop(): Promise<void> {
    this.#stopPolling?.();
    await this.#reading?.catch(() => undefined);
    await this.#noting;
    await this.#noteUses(true);
  }

  /** Whether a key was ever made; undefined until the store has been read. */
  get isClosed(): boolean | undefined {
    return this.#access?.isClosed;
  }

  /** For a call without a credential. */
  anonymous(): Caller | Promise<Caller> {
    return this.#current(() => this.#anonymousNow());
  }

  /** For the text of an API key. */
  callerOf(text: string): Caller | Promise<Caller> {
    const id = idOfApiKey(text);
    if (id === undefined) throw refusedCredential('a mistyped key');
    return this.#current(() => this.#find(id, text));
  }

  /** Throws `unavailable` when what was read is too old, and nobody can be let in. */
  assertFresh(): void {
    if (this.#isFresh) return;
    throw new HubError(
      'unavailable',
      'who may come in cannot be looked up now, because the store does not answer: nobody is let in meanwhile',
      { retryAfterS: 1 },
    );
  }

  #anonymousNow(): Caller {
    this.#assertAnonymous();
    return this.#anonymous;
  }

  #assertAnonymous(): void {
    this.assertFresh();
    const { anonymous } = this.#deps;
    if (this.#access?.isClosed !== false) {
      throw new HubError(
        'unauthenticated',
        'a credential is needed here: send `Authorization: Bearer KEY`, or `X-API-Key: KEY`',
        { cause: 'no credential' },
      );
    }
    if (anonymous !== 'served') throw anonymous;
  }

  /** In the same time whether there is such a key or not. */
  #find(id: string, text: string): Caller {
    this.assertFresh();
    const caller = this.#callers.get(id);
    const isSame = isSameHash(hashOfApiKey(text), caller?.key.hash ?? hashOfNobody);
    if (caller === undefined || !isSame) throw refusedCredential('an unknown key');
    caller.assertHolds();
    caller.noteUse();
    return caller;
  }

  /** What was read not long ago, else after another look. */
  #current(find: () => Caller): Caller | Promise<Caller> {
    if (this.#isFresh) return find();
    const { clock } = this.#deps;
    const look = within(clock, limits.accessWaitMs, this.#read(), 'the store does not answer');
    return look.catch(() => undefined).then(find);
  }

  get #isFresh(): boolean {
    return this.#deps.clock.monotonicMs() - this.#readAtMs <= this.#deps.graceMs;
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOnce(): Promise<void> {
    const startedMs = this.#deps.clock.monotonicMs();
    const access = await this.#deps.keys.access();
    this.#take(access);
    this.#readAtMs = startedMs;
    // A store that is slow to write is still read.
    void this.#noteUses(false);
  }

  #take(access: Access): void {
    const { audit } = this.#deps;
    const before = this.#access;
    this.#access = access;
    this.#takeKeys(access, before !== undefined);
    if (access.isClosed === before?.isClosed) return;
    if (access.isClosed) {
      this.#anonymous.end();
      if (before !== undefined) audit.act('access_closed');
    } else {
      this.#anonymous = this.#newAnonymous();
      if (before !== undefined) audit.act('access_reopened');
    }
  }

  #takeKeys({ keys }: Access, isKnown: boolean): void {
    const { audit, clock } = this.#deps;
    const gone = new Set(this.#callers.keys());
    for (const key of keys) {
      gone.delete(key.id);
      const caller = this.#callers.get(key.id);
      if (caller === undefined) {
        const made = new KeyCaller(key, clock, () => this.assertFresh());
        this.#callers.set(key.id, made);
        made.endWhenOver();
        if (isKnown) audit.act('key_created', key);
      } else caller.key = key;
    }
    for (const id of gone) {
      this.#callers.get(id)?.end();
      this.#callers.delete(id);
    }
    this.#endWhatIsOver();
  }

  #endWhatIsOver(): void {
    for (const caller of this.#callers.values()) {
      const wasOver = caller.ended.aborted;
      if (caller.endWhenOver() && !wasOver) this.#deps.audit.act('key_ended', caller.key);
    }
  }

  /** To the minute: a busy key is not written down at every call. */
  #noteUses(all: boolean): Promise<void> {
    this.#noting ??= this.#writeUses(all).finally(() => {
      this.#noting = undefined;
    });
    return this.#noting;
  }

  /** What cannot be written is kept for the next time. */
  async #writeUses(all: boolean): Promise<void> {
    const { keys, audit } = this.#deps;
    const taken = [...this.#callers.values()].flatMap((caller) => {
      const use = caller.takeUse(all ? 0 : limits.keyUseEveryMs);
      return use === undefined ? [] : [{ caller, ...use }];
    });
    if (taken.length === 0) return;
    try {
      await keys.noteUses(new Map(taken.map(({ caller, at }) => [caller.key.id, at])));
      for (const { caller, calls } of taken) audit.keyUsed(caller.key, calls);
    } catch {
      for (const { caller, calls } of taken) caller.untakeUse(calls);
    }
  }

  #newAnonymous(): AnonymousCaller {
    return new AnonymousCaller(() => this.#assertAnonymous());
  }
}

const hashOfNobody = hashOfApiKey('');
