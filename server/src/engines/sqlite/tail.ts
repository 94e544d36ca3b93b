import { eventBytes } from '../../event/event-bytes.ts';
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
  readonly #bytesMax: number;
  #bytes = 0;
  readonly #waiting = new Set<() => void>();
  #closed = false;
  #followers = 0;

  constructor(lastSequence: number, entriesMax: number, bytesMax: number) {
    this.#last = lastSequence;
    this.#max = entriesMax;
    this.#bytesMax = bytesMax;
  }

  get last(): number {
    return this.#last;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Keeps the newest entries while somebody follows; the answer ends that. */
  follow(): () => void {
    this.#followers += 1;
    return () => {
      this.#followers -= 1;
      if (this.#followers === 0) this.#forget(this.#entries.length);
    };
  }

  /**
   * Entries of one commit, the first at `sequence`. When commits are missing
   * before it (their answer was lost), readers find them in the file.
   */
  push(sequence: number, entries: readonly LogEntry[]): void {
    if (entries.length === 0) return;
    // What was heard of already, as when somebody looked into the file, must not take the tail back.
    if (this.#followers === 0 || sequence <= this.#last) {
      this.advance(sequence + entries.length - 1);
      return;
    }
    if (sequence !== this.#last + 1) {
      this.#forget(this.#entries.length);
      this.#last = sequence - 1;
    }
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += eventBytes(entry.event);
    }
    this.#last += entries.length;
    // Cut in strides, so that the cost of shifting is spread over many commits.
    if (this.#entries.length > this.#max * 2) this.#forget(this.#entries.length - this.#max);
    if (this.#bytes > this.#bytesMax) this.#forget(this.#entriesOver(this.#bytesMax / 2));
    this.#ring();
  }

  /** The log has come to `sequence` by another way than a push: readers find what is new in the file. */
  advance(sequence: number): void {
    if (sequence <= this.#last) return;
    this.#forget(this.#entries.length);
    this.#last = sequence;
    this.#ring();
  }

  /** Retention has removed the events up to `sequence`: they are not given out from here any more. */
  removedTo(sequence: number): void {
    const first = this.#last - this.#entries.length + 1;
    if (sequence >= first) this.#forget(sequence - first + 1);
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
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.add(done);
    });
  }

  close(): void {
    this.#closed = true;
    this.#ring();
  }

  /** How many of the oldest entries to drop, so that the rest takes no more than `bytes`. */
  #entriesOver(bytes: number): number {
    let left = this.#bytes;
    let count = 0;
    for (const { event } of this.#entries) {
      if (left <= bytes) break;
      left -= eventBytes(event);
      count += 1;
    }
    return count;
  }

  #forget(count: number): void {
    for (const { event } of this.#entries.slice(0, count)) this.#bytes -= eventBytes(event);
    this.#entries = this.#entries.slice(count);
  }

  #ring(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
