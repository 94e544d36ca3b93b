/** So many a second, and what may come at once after a pause. */
export interface BucketSize {
  readonly ratePerS: number;
  /** A full bucket is what so much time brings. */
  readonly burstMs: number;
}

/** What rounding may make of a sum of milliseconds over years. */
export const slackMs = 0.0001;

/**
 * A token bucket, kept as the one number that tells everything: when it will
 * be full. In any time t no more is taken than `rate × t + burst`, with one
 * exception: who asks for more than a full bucket holds gets it from a full
 * one, and it then takes so much longer to fill; else a large batch could never
 * be sent under a small limit.
 */
export class TokenBucket {
  readonly #size: BucketSize;
  #fullAtMs = Number.NEGATIVE_INFINITY;

  constructor(size: BucketSize) {
    this.#size = size;
  }

  /** How long until so many can be taken, when nobody else takes any: 0 for now. */
  waitMs(tokens: number, nowMs: number): number {
    const { burstMs } = this.#size;
    const roomMs = Math.max(0, burstMs - this.#costMs(tokens));
    const waitMs = this.fullInMs(nowMs) - roomMs;
    return waitMs <= slackMs ? 0 : waitMs;
  }

  /** Whoever takes has looked whether it must wait. */
  take(tokens: number, nowMs: number): void {
    this.#fullAtMs = Math.max(this.#fullAtMs, nowMs) + this.#costMs(tokens);
  }

  /** Whole tokens, never negative. */
  left(nowMs: number): number {
    const { burstMs, ratePerS } = this.#size;
    const leftMs = Math.min(burstMs, burstMs - this.fullInMs(nowMs) + slackMs);
    return Math.max(0, Math.floor((leftMs * ratePerS) / 1_000));
  }

  /** 0 when it is full. */
  fullInMs(nowMs: number): number {
    return Math.max(0, this.#fullAtMs - nowMs);
  }

  #costMs(tokens: number): number {
    return (tokens * 1_000) / this.#size.ratePerS;
  }
}
