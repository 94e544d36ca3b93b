import { limits } from '../base/limits.ts';
import { type BucketSize, TokenBucket } from './token-bucket.ts';

/**
 * A bucket for each account or address, of which so many are remembered: beyond
 * them the one that was not used for longest is forgotten, which by then is
 * full, as a new one is, unless more callers than that are busy at once.
 */
export class BucketTable {
  readonly #size: BucketSize;
  readonly #most: number;
  /** The least recently used first. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(size: BucketSize, most: number = limits.rateLimitBuckets) {
    this.#size = size;
    this.#most = most;
  }

  get length(): number {
    return this.#buckets.size;
  }

  /** To be taken from: it counts as used. */
  use(owner: string): TokenBucket {
    const known = this.#buckets.get(owner);
    if (known !== undefined) this.#buckets.delete(owner);
    else if (this.#buckets.size >= this.#most) this.#forgetOldest();
    const bucket = known ?? new TokenBucket(this.#size);
    this.#buckets.set(owner, bucket);
    return bucket;
  }

  /** To be looked at; a full one for who has none. */
  find(owner: string): TokenBucket {
    return this.#buckets.get(owner) ?? new TokenBucket(this.#size);
  }

  #forgetOldest(): void {
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}
