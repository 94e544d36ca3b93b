import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, yieldTurn } from '../../src/base/clock.ts';
import { limits } from '../../src/base/limits.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { NewEvent } from '../../src/event/event.ts';
import { decorated } from '../../src/log/decorated.ts';
import type { EventLog, LogEntry, Position } from '../../src/log/event-log.ts';
import { withGroupCommit } from '../../src/log/group-commit.ts';
import { type FeedBatch, type FeedOptions, LiveFeed } from '../../src/readers/live-feed.ts';
import type { LogHarness } from '../log/event-log.suite.ts';
import { anEvent, someEvents } from '../support/build-event.ts';
import { sqliteLogHarness } from '../support/sqlite-harness.ts';

describe('live feed', () => {
  let harness: LogHarness;
  let log: EventLog;
  let feed: LiveFeed;
  let abort: AbortController;

  beforeEach(async () => {
    harness = await sqliteLogHarness((bare) => withGroupCommit(bare));
    log = await harness.open();
    feed = new LiveFeed({ log, clock: systemClock, logger: silentLogger });
    abort = new AbortController();
  });

  afterEach(async () => {
    abort.abort();
    feed.close();
    await log.close();
    await harness.destroy();
  });

  const append = async (events: readonly NewEvent[]) =>
    await log.append([{ events, atomic: false }]);
  const subscribe = (options: Partial<FeedOptions> = {}) =>
    feed.subscribe({ filter: {}, from: 'end', follow: true, signal: abort.signal, ...options });

  /** Reads on until `count` entries have come; the reader is left where it is. */
  const take = async (reader: AsyncGenerator<FeedBatch>, count: number) => {
    const ids: string[] = [];
    let position: Position | undefined;
    let caughtUp = 0;
    while (ids.length < count) {
      const { value, done } = await reader.next();
      if (done) break;
      ids.push(...value.entries.map(({ event }: { event: { id: string } }) => event.id));
      position = value.position;
      if (value.caughtUp) caughtUp += 1;
    }
    return { ids, position, caughtUp };
  };
  const caughtUp = async (reader: AsyncGenerator<FeedBatch>) => {
    const ids: string[] = [];
    for (;;) {
      const { value, done } = await reader.next();
      if (done) throw new Error('the feed ended before it had caught up');
      ids.push(...value.entries.map(({ event }: { event: { id: string } }) => event.id));
      if (value.caughtUp) return { ids, position: value.position };
    }
  };
  const idsOf = (events: readonly NewEvent[]) => events.map(({ id }) => id);

  it('gives history, says once that it has caught up, then gives what comes', async () => {
    const history = someEvents(1_200);
    await append(history);
    const reader = subscribe({ from: 'start' });
    expect((await caughtUp(reader)).ids).toEqual(idsOf(history));
    const later = someEvents(30);
    for (const event of later) await append([event]);
    expect(await take(reader, 30)).toMatchObject({ ids: idsOf(later), caughtUp: 0 });
  });

  it('has no gap and no repeat between history and live, while events pour in', async () => {
    const events = someEvents(6_000);
    await append(events.slice(0, 3_000));
    const readers = Array.from({ length: 5 }, () =>
      take(subscribe({ from: 'start' }), events.length),
    );
    for (let start = 3_000; start < events.length; start += 50) {
      await append(events.slice(start, start + 50));
    }
    for (const { ids } of await Promise.all(readers)) expect(ids).toEqual(idsOf(events));
  });

  it('resumes from the position of any batch, without a gap', async () => {
    const events = someEvents(100);
    await append(events);
    const reader = subscribe({ from: 'start' });
    const { position } = await caughtUp(reader);
    const later = someEvents(5);
    await append(later);
    expect((await take(subscribe({ from: position as Position }), 5)).ids).toEqual(idsOf(later));
  });

  it('gives only what the filter takes, and a position that passes over the rest', async () => {
    const reader = subscribe({ from: 'start', filter: { eventTypes: ['refund'] } });
    const refund = anEvent({ eventType: 'refund' });
    await append([...someEvents(10), refund, ...someEvents(3)]);
    const { ids, position } = await take(reader, 1);
    expect(ids).toEqual([refund.id]);
    expect(position).toBe(await log.end());
  });

  it('without follow ends when history ends', async () => {
    await append(someEvents(7));
    const reader = subscribe({ from: 'start', follow: false });
    expect((await caughtUp(reader)).ids).toHaveLength(7);
    expect((await reader.next()).done).toBe(true);
  });

  it('cuts a listener that falls behind, with the position to resume from, and spares the others', async () => {
    const slow = subscribe();
    const quick = subscribe();
    await Promise.all([caughtUp(slow), caughtUp(quick)]);
    const events = someEvents(limits.subscriberEntries + 500);
    const reading = take(quick, events.length);
    const firstOfSlow = slow.next();
    for (let start = 0; start < events.length; start += 250) {
      await append(events.slice(start, start + 250));
    }
    expect((await reading).ids).toEqual(idsOf(events));
    const first = await firstOfSlow;
    const cut = slow.next();
    await expect(cut).rejects.toMatchObject({
      code: 'slow_reader',
      position: first.value?.position,
    });
    const resumed = subscribe({ from: first.value?.position as Position });
    const missed = events.length - (first.value?.entries.length ?? 0);
    const { ids } = await take(resumed, missed);
    expect([
      ...(first.value?.entries ?? []).map(({ event }: { event: NewEvent }) => event.id),
      ...ids,
    ]).toEqual(idsOf(events));
  });

  it('gives the largest commit whole to a listener that was up to date, however busy it is then', async () => {
    const reader = subscribe();
    await caughtUp(reader);
    const events = someEvents(limits.commitEvents);
    await append(events);
    expect((await take(reader, events.length)).ids).toEqual(idsOf(events));
  });

  it('gives what the log has at once, in parts, to whoever takes a turn for each', async () => {
    const events = someEvents(limits.subscriberEntries * 2);
    const atOnce = decorated(log, {
      read: (options) =>
        options.follow ? inOneGo(log.read(options), events.length) : log.read(options),
    });
    const ofAll = new LiveFeed({ log: atOnce, clock: systemClock, logger: silentLogger });
    const reader = ofAll.subscribe({ filter: {}, from: 'end', follow: true, signal: abort.signal });
    await caughtUp(reader);
    await append(events);
    const ids: string[] = [];
    while (ids.length < events.length) {
      ids.push(...(await take(reader, 1)).ids);
      await yieldTurn();
    }
    expect(ids).toEqual(idsOf(events));
    ofAll.close();
  });

  it('ends with a resumable position when the hub stops', async () => {
    await append(someEvents(3));
    const reader = subscribe({ from: 'start' });
    const { position } = await caughtUp(reader);
    const next = reader.next();
    feed.close();
    await expect(next).rejects.toMatchObject({ code: 'unavailable', position });
  });

  it('ends when its signal aborts, and reads the log for nobody', async () => {
    const reader = subscribe();
    await caughtUp(reader);
    expect(feed.listeners).toBe(1);
    const next = reader.next();
    abort.abort();
    expect((await next).done).toBe(true);
    expect(feed.listeners).toBe(0);
  });

  it('refuses a position that is gone', async () => {
    await append(someEvents(1));
    const gone = ((await log.end()) as string).replace(/^\d{16}/, '0000000000000099') as Position;
    await expect(subscribe({ from: gone }).next()).rejects.toMatchObject({ code: 'position_gone' });
  });
});

/** The same reads, held back until there are so many entries, and then given one after the other. */
async function* inOneGo(
  reads: AsyncIterable<readonly LogEntry[]>,
  count: number,
): AsyncGenerator<readonly LogEntry[]> {
  const held: (readonly LogEntry[])[] = [];
  let entries = 0;
  for await (const batch of reads) {
    held.push(batch);
    entries += batch.length;
    if (entries >= count) yield* held.splice(0);
  }
}
