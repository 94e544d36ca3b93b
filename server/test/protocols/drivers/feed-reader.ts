import type { EventSeen, FeedItem, FeedRequest, ProtocolDriver } from './protocol-driver.ts';

/** An open feed, read item by item. It is left when the reader is disposed of. */
export class FeedReader {
  readonly #leaving = new AbortController();
  readonly #items: AsyncIterator<FeedItem>;

  constructor(driver: ProtocolDriver, request: Omit<FeedRequest, 'signal'>) {
    const feed = driver.subscribe({ ...request, signal: this.#leaving.signal });
    this.#items = feed[Symbol.asyncIterator]();
  }

  /** Undefined when the feed has ended. */
  async next(): Promise<FeedItem | undefined> {
    const { done, value } = await this.#items.next();
    return done === true ? undefined : value;
  }

  async event(): Promise<EventSeen> {
    for (;;) {
      const item = await this.next();
      if (item === undefined) throw new Error('the feed ended');
      if (item.kind === 'event') return item.event;
    }
  }

  async events(count: number): Promise<readonly EventSeen[]> {
    const events: EventSeen[] = [];
    while (events.length < count) events.push(await this.event());
    return events;
  }

  /** Everything until the feed ends by itself. */
  async rest(): Promise<readonly FeedItem[]> {
    const items: FeedItem[] = [];
    for (let item = await this.next(); item !== undefined; item = await this.next()) {
      items.push(item);
    }
    return items;
  }

  /** Resolves when the feed is over, which leaving it must bring about. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    while ((await this.#items.next()).done !== true);
  }
}
