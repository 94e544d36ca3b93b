import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Telemetry } from '../base/telemetry.ts';
import { anonymousAccount, type Caller } from './caller.ts';
import { networkOf } from './network-of.ts';

export interface StreamSlotsOptions {
  /** 0 for no limit. */
  readonly perAccount: number;
  readonly telemetry: Telemetry;
}

/**
 * How many streams each account has open, over all protocols; each address,
 * where callers have no credential. Only who has one open is remembered, and
 * all together have at most `limits.streamsMax`.
 */
export class StreamSlots {
  readonly #perAccount: number;
  readonly #telemetry: Telemetry;
  readonly #open = new Map<string, number>();
  #total = 0;

  constructor({ perAccount, telemetry }: StreamSlotsOptions) {
    this.#perAccount = perAccount;
    this.#telemetry = telemetry;
  }

  /** Who has streams open now. */
  get owners(): number {
    return this.#open.size;
  }

  /** Takes a place until the answer is called. Throws `rate_limited` when the caller has all of its own, `overloaded` when all are taken. */
  take(caller: Caller): () => void {
    const isAnonymous = caller.account === anonymousAccount;
    const owner = isAnonymous ? networkOf(caller.address ?? '') : caller.account;
    const open = this.#open.get(owner) ?? 0;
    if (this.#perAccount > 0 && open >= this.#perAccount) {
      const by = isAnonymous ? 'address' : 'account';
      this.#telemetry.countRateLimited(by, 'streams');
      throw new HubError(
        'rate_limited',
        `this ${by} has ${open} streams open, which is all that it may have: close one first`,
        { retryAfterS: streamRetryS },
      );
    }
    if (this.#total >= limits.streamsMax) {
      throw new HubError('overloaded', `there are ${limits.streamsMax} streams already`, {
        retryAfterS: streamRetryS,
      });
    }
    this.#open.set(owner, open + 1);
    this.#total += 1;
    let isTaken = true;
    return () => {
      if (isTaken) this.#giveBack(owner);
      isTaken = false;
    };
  }

  #giveBack(owner: string): void {
    const left = (this.#open.get(owner) ?? 1) - 1;
    if (left === 0) this.#open.delete(owner);
    else this.#open.set(owner, left);
    this.#total -= 1;
  }
}

/** When somebody may have closed one. */
const streamRetryS = 10;
