import { HubError } from '../../base/errors.ts';
import type { FeedBatch, LogEntry, SubscribeRequest } from '../../hub.ts';
import type { OperationContext } from './context.ts';

/**
 * The hub's feed, entry by entry. Resolves when the feed has begun, so that a
 * bad `after` is refused at once and no event that comes later is missed.
 */
export async function subscribeToEvents(
  { hub, caller, signal, transport }: OperationContext,
  request: Omit<SubscribeRequest, 'follow' | 'signal'>,
): Promise<AsyncIterableIterator<LogEntry>> {
  const feed = new EventFeed(signal, (feedSignal) =>
    hub.subscribe(caller, { ...request, follow: true, transport, signal: feedSignal }),
  );
  await feed.begin();
  return feed;
}

/**
 * Unlike an async generator it can be returned from while it waits for an
 * event: the hub's feed is then aborted and ends. Nothing is read ahead beyond
 * the hub's own batch, so a slow reader slows the hub's feed, which cuts it.
 */
class EventFeed implements AsyncIterableIterator<LogEntry> {
  readonly #operation: AbortSignal;
  readonly #abort = new AbortController();
  readonly #batches: AsyncIterator<FeedBatch>;
  #entries: readonly LogEntry[] = [];
  #next = 0;
  /** After everything that was handed out. */
  #position: string | undefined;
  #ended = false;

  constructor(
    operation: AbortSignal,
    subscribe: (signal: AbortSignal) => AsyncIterable<FeedBatch>,
  ) {
    this.#operation = operation;
    this.#batches = subscribe(this.#abort.signal)[Symbol.asyncIterator]();
    if (operation.aborted) this.#abort.abort();
    else operation.addEventListener('abort', this.#onAbort, { once: true });
  }

  readonly #onAbort = () => this.#abort.abort();

  async begin(): Promise<void> {
    try {
      const { done, value } = await this.#batches.next();
      if (done) this.#end();
      else this.#take(value);
    } catch (reason) {
      this.#end();
      throw reason;
    }
  }

  async next(): Promise<IteratorResult<LogEntry>> {
    while (!this.#ended) {
      this.#failWhenCut();
      const entry = this.#entries[this.#next];
      if (entry !== undefined) {
        this.#next += 1;
        this.#position = entry.position;
        return { done: false, value: entry };
      }
      await this.#readOn();
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<LogEntry>> {
    this.#end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #readOn(): Promise<void> {
    try {
      const { done, value } = await this.#batches.next();
      this.#failWhenCut();
      if (done) this.#end();
      else this.#take(value);
    } catch (reason) {
      this.#end();
      throw HubError.from(reason).withPosition(this.#position);
    }
  }

  #take(batch: FeedBatch): void {
    this.#entries = batch.entries;
    this.#next = 0;
    if (batch.entries.length === 0) this.#position = batch.position ?? this.#position;
  }

  /** The transport gave up on this reader, and says why. */
  #failWhenCut(): void {
    const reason: unknown = this.#operation.aborted ? this.#operation.reason : undefined;
    if (!(reason instanceof HubError)) return;
    this.#end();
    throw reason.withPosition(this.#position);
  }

  #end(): void {
    this.#ended = true;
    this.#operation.removeEventListener('abort', this.#onAbort);
    this.#abort.abort();
    // A feed that waits to be asked again ends only so; what it has to say of its end is not asked for.
    this.#batches.return?.().catch(() => undefined);
  }
}
