import { type Clock, yieldTurn } from '../base/clock.ts';
import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import type { Filter } from '../event/filter.ts';
import { matches } from '../event/filter.ts';
import { Cursor, endsOf } from '../log/cursor.ts';
import type { EventLog, LogEntry, Position } from '../log/event-log.ts';
import { FeedListener } from './feed-listener.ts';

/** Matching entries and the place after everything read so far, matching or not. */
export interface FeedBatch {
  /** Each with the position of the whole feed after it, to resume from. */
  readonly entries: readonly LogEntry[];
  /** Undefined only in an empty log. */
  readonly position: Position | undefined;
  /** History ends here; said once. */
  readonly caughtUp: boolean;
  /** When the oldest entry came out of the log, monotonic; only of live entries. */
  readonly readAtMs?: number;
}

export interface FeedOptions {
  readonly filter: Filter;
  readonly from: Position | 'start' | 'end';
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/**
 * One read of the log for all who listen, and none when nobody does. Each
 * listener has a bounded buffer; one that falls behind is cut with the position
 * to resume from. History comes from a read of its own, then the listener
 * joins, without a gap and without a repeat.
 */
export class LiveFeed {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listeners = new Set<FeedListener>();
  #reading: SharedRead | undefined;
  #closed = false;

  constructor(deps: { readonly log: EventLog; readonly clock: Clock; readonly logger: Logger }) {
    this.#log = deps.log;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  async *subscribe({ filter, from, follow, signal }: FeedOptions): AsyncGenerator<FeedBatch> {
    if (!follow) {
      const cursor = await this.#cursorAt(from);
      yield* this.#history(filter, cursor, signal);
      if (!signal.aborted) yield { entries: [], position: cursor.position, caughtUp: true };
      return;
    }
    const listener = await this.#join(filter, signal);
    try {
      const cursor = await this.#cursorAt(from);
      do {
        // Live entries wait in the listener while history is read. When they were
        // too many, it forgets them, and they are read as history after all.
        listener.restart();
        yield* this.#history(filter, cursor, signal);
      } while (listener.overflowed && !signal.aborted);
      if (signal.aborted) return;
      yield { entries: [], position: cursor.position, caughtUp: true };
      yield* listener.live(cursor);
    } finally {
      this.#leave(listener);
    }
  }

  /** Ends all subscriptions with a resumable position. */
  close(): void {
    this.#closed = true;
    this.#failAll(stopping());
    this.#reading?.abort.abort();
  }

  async #cursorAt(from: FeedOptions['from']): Promise<Cursor> {
    const position = from === 'end' ? await this.#log.end() : from;
    if (position === undefined || position === 'start') return new Cursor(this.#log);
    try {
      return new Cursor(this.#log, await this.#log.resumeAt(position));
    } catch (reason) {
      throw HubError.from(reason).withPosition(position);
    }
  }

  /** Moves the cursor to where the history ends. */
  async *#history(
    filter: Filter,
    cursor: Cursor,
    signal: AbortSignal,
  ): AsyncGenerator<FeedBatch, void> {
    try {
      const from = cursor.position ?? 'start';
      const read = this.#log.read({ from, follow: false, limit: limits.readEntries, signal });
      for await (const batch of read) {
        if (this.#closed) throw stopping();
        const entries: LogEntry[] = [];
        for (const entry of batch) {
          if (matches(filter, entry.event)) entries.push(cursor.take(entry));
          else cursor.advance(entry);
        }
        yield { entries, position: cursor.position, caughtUp: false };
      }
    } catch (reason) {
      throw HubError.from(reason).withPosition(cursor.position);
    }
  }

  async #join(filter: Filter, signal: AbortSignal): Promise<FeedListener> {
    if (this.#closed) throw stopping();
    if (this.#listeners.size >= limits.subscribersMax) {
      throw new HubError('overloaded', `there are ${limits.subscribersMax} live streams already`, {
        retryAfterS: 10,
      });
    }
    const listener = new FeedListener(filter, this.#clock, signal);
    this.#listeners.add(listener);
    this.#reading ??= this.#startReading();
    try {
      // History is read only once the shared read has its start, so that no entry falls between them.
      await this.#reading.started;
    } catch (reason) {
      this.#leave(listener);
      throw reason;
    }
    return listener;
  }

  #startReading(): SharedRead {
    const abort = new AbortController();
    const end = this.#log.end();
    const reading = { abort, started: end.then(() => undefined) };
    void end.then(
      (from) => this.#readOn(from ?? 'start', reading),
      () => this.#forget(reading),
    );
    return reading;
  }

  #forget(reading: SharedRead): void {
    if (this.#reading === reading) this.#reading = undefined;
  }

  #leave(listener: FeedListener): void {
    listener.end();
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#reading?.abort.abort();
    this.#reading = undefined;
  }

  async #readOn(from: Position | 'start', reading: SharedRead): Promise<void> {
    try {
      const { signal } = reading.abort;
      const read = this.#log.read({ from, follow: true, limit: limits.readEntries, signal });
      for await (const batch of read) {
        const ends = endsOf(batch);
        const readAtMs = this.#clock.monotonicMs();
        for (const listener of this.#listeners) listener.push(batch, ends, readAtMs);
        // Who listens takes this before more comes: a log may have thousands of entries to give at once.
        await yieldTurn();
      }
    } catch (reason) {
      this.#logger.warn(
        { err: reason },
        'the live feed lost the log; its listeners resume by themselves',
      );
      if (this.#reading !== reading) return;
      this.#forget(reading);
      this.#failAll(HubError.from(reason));
    }
  }

  #failAll(error: HubError): void {
    for (const listener of this.#listeners) listener.fail(error);
  }
}

interface SharedRead {
  readonly abort: AbortController;
  /** Resolves when the read has its start. */
  readonly started: Promise<void>;
}

function stopping(): HubError {
  return new HubError('unavailable', 'the hub is stopping', { retryAfterS: 2 });
}
