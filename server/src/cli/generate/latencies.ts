/** Each bucket is 2 % wider than the one before, so a percentile is right within 2 %. */
const growth = 1.02;
const msMin = 0.01;

/** Counts durations in bounded memory, however many there are. */
export class Latencies {
  readonly #buckets: number[] = [];
  #count = 0;
  #maxMs = 0;

  add(ms: number, times = 1): void {
    const steps = Math.log(Math.max(ms, msMin) / msMin) / Math.log(growth);
    const bucket = Math.ceil(steps);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + times;
    this.#count += times;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** The duration that so many of a hundred do not exceed; 0 when nothing was counted. */
  percentileMs(percent: number): number {
    const wanted = Math.ceil((this.#count * percent) / 100);
    let seen = 0;
    // The list has holes, which these methods pass over.
    const bucket = this.#buckets.findIndex((count) => {
      seen += count ?? 0;
      return wanted > 0 && seen >= wanted;
    });
    return bucket === -1 ? 0 : Math.min(msMin * growth ** bucket, this.#maxMs);
  }
}
