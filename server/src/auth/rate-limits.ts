import type { Clock } from '../base/clock.ts';
import type { LimitedBy, Telemetry } from '../base/telemetry.ts';
import { anonymousAccount, type Caller } from './caller.ts';
import { networkOf } from './network-of.ts';
import { type Quota, RateLimit, type RateUnit, rateUnits } from './rate-limit.ts';

/** So many a second; 0 for no limit. */
export interface RateLimitSizes {
  readonly accountRequests: number;
  readonly accountEvents: number;
  readonly addressRequests: number;
  readonly addressEvents: number;
  readonly burstMs: number;
}

export interface RateLimitsDeps {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Undefined where nothing is limited, so that nothing is counted either. */
export function createRateLimits(
  sizes: RateLimitSizes,
  deps: RateLimitsDeps,
): RateLimits | undefined {
  const { accountRequests, accountEvents, addressRequests, addressEvents } = sizes;
  const all = [accountRequests, accountEvents, addressRequests, addressEvents];
  return all.some((ratePerS) => ratePerS > 0) ? new RateLimits(sizes, deps) : undefined;
}

/**
 * Requests and events a second, of each account (a key, a token's subject) and
 * of each address; callers without a credential are counted by address alone.
 * Each process counts for itself. What is refused takes nothing.
 */
export class RateLimits {
  readonly #limits: Readonly<Record<LimitedBy, Readonly<Record<RateUnit, RateLimit>>>>;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;

  constructor(sizes: RateLimitSizes, { clock, telemetry }: RateLimitsDeps) {
    const limit = (by: LimitedBy, unit: RateUnit, ratePerS: number) =>
      new RateLimit(by, unit, ratePerS, sizes.burstMs);
    this.#limits = {
      account: {
        requests: limit('account', 'requests', sizes.accountRequests),
        events: limit('account', 'events', sizes.accountEvents),
      },
      address: {
        requests: limit('address', 'requests', sizes.addressRequests),
        events: limit('address', 'events', sizes.addressEvents),
      },
    };
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  /** A request has come, and nobody has looked at its credential yet. Throws `rate_limited`. */
  takeRequestFrom(address: string): void {
    this.#take([[this.#limits.address.requests, networkOf(address)]], 1);
  }

  /** Its credential holds. Throws `rate_limited`. */
  takeRequestOf(caller: Caller): void {
    this.#take(this.#ofAccount('requests', caller), 1);
  }

  /** One more request on a connection whose caller is known. Throws `rate_limited`. */
  takeRequest(caller: Caller): void {
    this.#take(this.#ofBoth('requests', caller), 1);
  }

  /** All of them, or none: throws `rate_limited`. */
  takeEvents(caller: Caller, events: number): void {
    this.#take(this.#ofBoth('events', caller), events);
  }

  /** What holds for the address and, when it is known, the caller; only what is limited. */
  quotas(address: string, caller: Caller | undefined): readonly Quota[] {
    const network = networkOf(address);
    const nowMs = this.#clock.monotonicMs();
    const found = rateUnits.flatMap((unit) => [
      ...(caller === undefined ? [] : this.#ofAccount(unit, caller)),
      [this.#limits.address[unit], network] as const,
    ]);
    return found.flatMap(([limit, owner]) => limit.quotaOf(owner, nowMs) ?? []);
  }

  #ofBoth(unit: RateUnit, caller: Caller): readonly Owned[] {
    const address: Owned = [this.#limits.address[unit], networkOf(caller.address ?? '')];
    return [...this.#ofAccount(unit, caller), address];
  }

  #ofAccount(unit: RateUnit, { account }: Caller): readonly Owned[] {
    return account === anonymousAccount ? [] : [[this.#limits.account[unit], account]];
  }

  #take(owned: readonly Owned[], tokens: number): void {
    const nowMs = this.#clock.monotonicMs();
    let refusing: RateLimit | undefined;
    let waitMs = 0;
    for (const [limit, owner] of owned) {
      const limitWaitMs = limit.waitMs(owner, tokens, nowMs);
      if (limitWaitMs <= waitMs) continue;
      refusing = limit;
      waitMs = limitWaitMs;
    }
    if (refusing !== undefined) {
      this.#telemetry.countRateLimited(refusing.by, refusing.unit);
      throw refusing.refusal(waitMs);
    }
    for (const [limit, owner] of owned) limit.take(owner, tokens, nowMs);
  }
}

type Owned = readonly [limit: RateLimit, owner: string];
