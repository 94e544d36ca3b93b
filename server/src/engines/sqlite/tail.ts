import type { LogEntry } from '../../log/event-log.ts';

/**
 * The newest entries of the log, in memory, and the bell for those who wait for
 * more. A reader at the tail is served from here: from durable to subscriber is
 * one wake-up and no query.
 */
export class Tail {
  readonly #max: number;
  #entries: LogEntry[] = [];
  /** The sequence of the newest entry. */
  #last: number;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(lastSequence: number, entriesMax: number) {
    this.#last = lastSequence;
    this.#max = entriesMax;
  }

  get last(): number {
    return this.#last;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Entries of one commit, the first at `sequence`. When commits are missing
   * before it (their answer was lost), readers find them in the file.
   */
  push(sequence: number, entries: readonly LogEntry[]): void {
    if (entries.length === 0) return;
    if (sequence !== this.#last + 1) {
      this.#entries = [];
      this.#last = sequence - 1;
    }
    for (const entry of entries) this.#entries.push(entry);
    this.#last += entries.length;
    // Cut in strides, so that the cost of shifting is spread over many commits.
    if (this.#entries.length > this.#max * 2) this.#entries = this.#entries.slice(-this.#max);
    this.#ring();
  }

  /** The log has come to `sequence` by another way than a push: readers find what is new in the file. */
  advance(sequence: number): void {
    if (sequence <= this.#last) return;
    this.#entries = [];
    this.#last = sequence;
    this.#ring();
  }

  /** Entries after `sequence`; undefined when memory does not reach back that far. */
  after(sequence: number, limit: number): readonly LogEntry[] | undefined {
    const first = this.#last - this.#entries.length + 1;
    if (sequence + 1 < first) return undefined;
    const start = sequence + 1 - first;
    return this.#entries.slice(start, start + limit);
  }

  /** Resolves when there is an entry after `sequence`, the log closes, or the signal aborts. */
  async more(sequence: number, signal: AbortSignal): Promise<void> {
    if (this.#last > sequence || this.#closed || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.push(done);
    });
  }

  close(): void {
    this.#closed = true;
    this.#ring();
  }

  #ring(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
