/** How long to wait after each failure in a row: from `firstMs`, doubling, up to `maxMs`. */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  #nextMs: number;

  constructor(firstMs: number, maxMs: number) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#nextMs = firstMs;
  }

  next(): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(this.#maxMs, ms * 2);
    return ms;
  }

  /** Something succeeded: the next failure is a first one again. */
  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
