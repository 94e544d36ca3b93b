import type { Clock } from '../base/clock.ts';
import { type Action, type Caller, expandScopes, refusedCredential } from './caller.ts';
import type { ExpirySignals } from './expiry-signals.ts';
import type { VerifiedToken } from './tokens/verified-token.ts';

/** Who calls with a token, until it runs out. */
export class TokenCaller implements Caller {
  readonly name: string;
  readonly account: string;
  readonly actions: ReadonlySet<Action>;
  readonly eventTypes = undefined;
  readonly #expiresAtMs: number;
  readonly #clock: Clock;
  readonly #expiries: ExpirySignals;

  constructor(token: VerifiedToken, clock: Clock, expiries: ExpirySignals) {
    this.name = `token ${token.name}`;
    this.account = `token:${token.issuer}|${token.subject}`;
    this.actions = expandScopes(token.scopes);
    this.#expiresAtMs = token.expiresAtMs;
    this.#clock = clock;
    this.#expiries = expiries;
  }

  /** Only a stream asks for it: nothing is timed for a call that ends at once. */
  get ended(): AbortSignal {
    return this.#expiries.at(this.#expiresAtMs);
  }

  assertCurrent(): void {
    if (this.#clock.now() >= this.#expiresAtMs) {
      throw refusedCredential(`${this.name} has run out`);
    }
  }
}
