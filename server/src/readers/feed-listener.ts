import type { Clock } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { eventBytes } from '../event/event-bytes.ts';
import { type Filter, matches } from '../event/filter.ts';
import type { Cursor } from '../log/cursor.ts';
import type { LogEntry, Places, Position } from '../log/event-log.ts';
import type { FeedBatch } from './live-feed.ts';

/** What one live subscriber has waiting: bounded in entries and bytes. */
export class FeedListener {
  readonly #filter: Filter;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #entries: LogEntry[] = [];
  #bytes = 0;
  /** When the oldest of them was read. */
  #readAtMs = 0;
  /** The places after the newest entries seen, matching or not. */
  readonly #seen = new Map<string, Position>();
  #overflowed = false;
  #error: HubError | undefined;
  #wake: (() => void) | undefined;
  #yieldedAtMs = 0;

  constructor(filter: Filter, clock: Clock, signal: AbortSignal) {
    this.#filter = filter;
    this.#clock = clock;
    this.#signal = signal;
    signal.addEventListener('abort', this.#ring);
  }

  /** More came than the buffer holds, and it was forgotten. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Begins to collect, from nothing, unless something is collected without loss. */
  restart(): void {
    if (!this.#overflowed) return;
    this.#overflowed = false;
    this.#clear();
  }

  /** `ends` are the places after the batch, `readAtMs` when it was read. */
  push(batch: readonly LogEntry[], ends: Places, readAtMs: number): void {
    if (this.#overflowed || this.#error !== undefined) return;
    // One read alone may be more than the buffer holds: slow is who has not taken the one before.
    const isWaiting = this.#entries.length > 0;
    if (!isWaiting) this.#readAtMs = readAtMs;
    for (const entry of batch) {
      if (!matches(this.#filter, entry.event)) continue;
      this.#entries.push(entry);
      this.#bytes += eventBytes(entry.event);
    }
    for (const [shard, position] of ends) this.#seen.set(shard, position);
    const isFull =
      this.#entries.length > limits.subscriberEntries || this.#bytes > limits.subscriberBytes;
    if (isWaiting && isFull) {
      this.#overflowed = true;
      this.#clear();
    }
    if (this.#isDue()) this.#ring();
  }

  fail(error: HubError): void {
    this.#error ??= error;
    this.#ring();
  }

  end(): void {
    this.#signal.removeEventListener('abort', this.#ring);
    this.#clear();
  }

  /** What comes behind the cursor, until the signal aborts or the listener is cut. */
  async *live(cursor: Cursor): AsyncGenerator<FeedBatch> {
    for (;;) {
      // What was forgotten has not been given: the position stays before it.
      if (this.#overflowed) throw slowReader().withPosition(cursor.position);
      const readAtMs = this.#readAtMs;
      const entries = this.#take()
        .filter((entry) => !cursor.covers(entry))
        .map((entry) => cursor.take(entry));
      const hasMoved = this.#passSeen(cursor);
      if (entries.length > 0 || hasMoved) {
        this.#yieldedAtMs = this.#clock.monotonicMs();
        yield { entries, position: cursor.position, caughtUp: false, readAtMs };
      }
      if (this.#signal.aborted) return;
      if (this.#error !== undefined) throw this.#error.withPosition(cursor.position);
      await this.#nextRing();
    }
  }

  /** Over what did not match. */
  #passSeen(cursor: Cursor): boolean {
    let hasMoved = false;
    for (const [shard, position] of this.#seen) {
      if (cursor.advance({ shard, position })) hasMoved = true;
    }
    return hasMoved;
  }

  /** Waiting entries, or on a quiet filtered feed a sign of how far it has come. */
  #isDue(): boolean {
    return (
      this.#overflowed ||
      this.#entries.length > 0 ||
      this.#clock.monotonicMs() - this.#yieldedAtMs >= limits.heartbeatMs
    );
  }

  #take(): readonly LogEntry[] {
    const entries = this.#entries;
    this.#clear();
    return entries;
  }

  #clear(): void {
    this.#entries = [];
    this.#bytes = 0;
  }

  async #nextRing(): Promise<void> {
    if (this.#signal.aborted || this.#error !== undefined || this.#overflowed) return;
    if (this.#entries.length > 0) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  #ring = (): void => {
    this.#wake?.();
    this.#wake = undefined;
  };
}

function slowReader(): HubError {
  return new HubError(
    'slow_reader',
    'events came faster than this stream was read: resume from the last position',
    { retryAfterS: 1 },
  );
}
