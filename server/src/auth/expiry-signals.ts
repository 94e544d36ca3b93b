import type { Clock, Instant } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';

/** A timer takes no longer wait than about 24 days; a day is well under it. */
const waitMsMax = 24 * 60 * 60 * 1000;

/**
 * Signals that abort when tokens run out, to the second. All tokens that run out
 * in one second share one signal and one timer, however often each of them is
 * verified and whatever it opens meanwhile.
 */
export class ExpirySignals {
  readonly #clock: Clock;
  readonly #signals = new Map<Instant, AbortSignal>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  at(expiresAt: Instant): AbortSignal {
    const second = Math.ceil(expiresAt / 1_000) * 1_000;
    const known = this.#signals.get(second);
    if (known !== undefined) return known;
    const ended = new AbortController();
    this.#signals.set(second, ended.signal);
    this.#endInTime(second, ended);
    return ended.signal;
  }

  #endInTime(second: Instant, ended: AbortController): void {
    const leftMs = second - this.#clock.now();
    if (leftMs > 0) {
      this.#clock.after(Math.min(leftMs, waitMsMax), () => this.#endInTime(second, ended));
      return;
    }
    this.#signals.delete(second);
    ended.abort(new HubError('unauthenticated', 'the token has run out'));
  }
}
