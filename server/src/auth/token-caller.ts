import type { Clock } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { type Action, type Caller, expandScopes, refusedCredential } from './caller.ts';
import type { VerifiedToken } from './tokens/verified-token.ts';

/** Timers take no longer waits than about 24 days. */
const waitMsMax = 24 * 60 * 60 * 1000;

/** Who calls with a token, until it runs out. */
export class TokenCaller implements Caller {
  readonly name: string;
  readonly account: string;
  readonly actions: ReadonlySet<Action>;
  readonly eventTypes = undefined;
  readonly #expiresAtMs: number;
  readonly #clock: Clock;
  #ended: AbortController | undefined;

  constructor(token: VerifiedToken, clock: Clock) {
    this.name = `token ${token.name}`;
    this.account = `token:${token.issuer}|${token.subject}`;
    this.actions = expandScopes(token.scopes);
    this.#expiresAtMs = token.expiresAtMs;
    this.#clock = clock;
  }

  /** Only a stream asks for it: nothing is timed for a call that ends at once. */
  get ended(): AbortSignal {
    if (this.#ended === undefined) {
      this.#ended = new AbortController();
      this.#endInTime(this.#ended);
    }
    return this.#ended.signal;
  }

  assertCurrent(): void {
    if (this.#clock.now() >= this.#expiresAtMs) {
      throw refusedCredential(`${this.name} has run out`);
    }
  }

  #endInTime(ended: AbortController): void {
    const leftMs = this.#expiresAtMs - this.#clock.now();
    if (leftMs <= 0) ended.abort(new HubError('unauthenticated', 'the token has run out'));
    else this.#clock.after(Math.min(leftMs, waitMsMax), () => this.#endInTime(ended));
  }
}
