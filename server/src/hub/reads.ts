import type { Clock } from '../base/clock.ts';
import { HubError, invalid } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { EventRules } from '../event/event.ts';
import { decodeListCursor, encodeListCursor } from '../event/list-cursor.ts';
import {
  parseFilter,
  parseGroupBy,
  parseLimit,
  parseListWindow,
  parseOrder,
  parseStep,
  parseWindow,
} from '../event/parse-query.ts';
import type {
  EventPage,
  FilterRequest,
  FindRequest,
  LatestToFollow,
  Series,
  SeriesRequest,
  Totals,
  WindowRequest,
} from '../hub.ts';
import type { EventLog, Places, Position } from '../log/event-log.ts';
import type {
  AggregateQuery,
  Aggregates,
  EventStore,
  KnownEvent,
  StoredEvent,
} from '../store/event-store.ts';
import { assertSeriesLength, seriesOf, totalsOf } from './totals.ts';

const latestDefault = 10;

export interface ReadsDeps {
  readonly log: Pick<EventLog, 'end' | 'isPosition' | 'placesIn'>;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly rules: EventRules;
}

export function noSuchEvent(): HubError {
  return new HubError('not_found', 'no event has this id');
}

export interface GetOptions {
  readonly atLeast?: unknown;
  /** Whether it may be told that there was an event: of one that is gone the type is not known. */
  readonly tellsRemoved?: boolean;
}

/** Everything that is read from the store, with its one validation. */
export class Reads {
  readonly #deps: ReadsDeps;

  constructor(deps: ReadsDeps) {
    this.#deps = deps;
  }

  async latest(
    request: FilterRequest & { readonly limit?: unknown },
  ): Promise<readonly StoredEvent[]> {
    const filter = parseFilter(request, this.#deps.rules);
    const limit = parseLimit(request.limit, latestDefault, limits.pageEvents);
    const { events } = await this.#deps.store.find({ filter, order: 'desc', limit });
    return events.toReversed();
  }

  /**
   * What is listed behind the end came while this looked, and the feed gives it
   * in its order: a listing may show the newest of it and leave out what was before.
   */
  async latestToFollow(
    request: FilterRequest & { readonly limit?: unknown },
  ): Promise<LatestToFollow> {
    const { log, store } = this.#deps;
    const filter = parseFilter(request, this.#deps.rules);
    const limit = parseLimit(request.limit, latestDefault, limits.pageEvents);
    const end = await log.end();
    const places: Places = end === undefined ? new Map() : log.placesIn(end);
    await this.#reached(places).catch((reason) => {
      // The newest entry may be none that could be read: then it is enough that the store has passed it.
      if (HubError.from(reason).code !== 'position_gone') throw reason;
    });
    const { events } = await store.find({ filter, order: 'desc', limit });
    const later = events.filter(({ position }) => !covers(places, this.#placesIn(position)));
    if (later.length === 0) return { events: events.toReversed(), end };
    // An event of a log that was replaced has no place in this one: it is history.
    const read = await store.positions();
    const isToCome = new Set(
      later.filter(({ position }) => covers(read, this.#placesIn(position))),
    );
    return { events: events.filter((event) => !isToCome.has(event)).toReversed(), end };
  }

  async get(id: string, { atLeast, tellsRemoved = true }: GetOptions = {}): Promise<StoredEvent> {
    const { store } = this.#deps;
    await this.#waitFor(atLeast);
    const event = await store.get(id);
    if (event !== undefined) return event;
    const known = tellsRemoved ? await this.#known(id) : undefined;
    if (known === undefined || !('contentHash' in known.event)) throw noSuchEvent();
    throw new HubError('not_found', 'retention has removed the event with this id');
  }

  /** Of the first event with this id, also when retention has removed it. */
  async positionOf(id: string): Promise<Position | undefined> {
    return (await this.#known(id))?.position;
  }

  async #known(id: string): Promise<KnownEvent | undefined> {
    return (await this.#deps.store.getMany([id])).get(id);
  }

  async find(request: FindRequest): Promise<EventPage> {
    const { rules, log, store } = this.#deps;
    const filter = parseFilter(request, rules);
    const { from, to } = parseListWindow(request);
    const order = parseOrder(request.order);
    const limit = parseLimit(request.limit, limits.pageEventsDefault, limits.pageEvents);
    const after = decodeListCursor(request.cursor, (text) => log.isPosition(text));
    await this.#waitFor(request.at_least);
    const page = await store.find({
      filter,
      order,
      limit,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(after === undefined ? {} : { after }),
    });
    const events = page.events.map((event) => ({
      ...event,
      cursor: encodeListCursor(event.listKey),
    }));
    return { events, next: page.hasMore ? events.at(-1)?.cursor : undefined };
  }

  async aggregate(request: WindowRequest): Promise<Totals> {
    const { rules, clock } = this.#deps;
    const filter = parseFilter(request, rules);
    const { from, to, timeWindow } = parseWindow(request, clock.now());
    await this.#waitFor(request.at_least);
    const { buckets, asOf } = await this.#aggregate({ from, to, filter }, timeWindow);
    const window = { from, to, timeWindow, currency: filter.currency };
    return totalsOf(window, buckets, asOf, rules.eventTypes);
  }

  async series(request: SeriesRequest): Promise<Series> {
    const { rules, clock } = this.#deps;
    const filter = parseFilter(request, rules);
    const { from, to, timeWindow } = parseWindow(request, clock.now());
    const { step, stepMs } = parseStep(request.step);
    const byEventType = parseGroupBy(request.group_by) === 'event_type';
    assertSeriesLength(from, to, stepMs);
    await this.#waitFor(request.at_least);
    const aggregates = await this.#aggregate({ from, to, filter, stepMs }, timeWindow);
    const window = { from, to, timeWindow, currency: filter.currency };
    return seriesOf({ window, step, stepMs, byEventType }, aggregates, rules.eventTypes);
  }

  /** A refusal names what the caller gave: `from` came from `minutes` where the window is not its own. */
  async #aggregate(query: AggregateQuery, timeWindow: string): Promise<Aggregates> {
    try {
      return await this.#deps.store.aggregate(query);
    } catch (reason) {
      const [fault] = HubError.from(reason).details;
      if (fault?.pointer !== '/from' || timeWindow === 'custom') throw reason;
      throw invalid('/minutes', fault.code, fault.detail);
    }
  }

  /** Until the store has the position: a sender reads its own writes in every mode. */
  async #waitFor(atLeast: unknown): Promise<void> {
    if (atLeast === undefined || atLeast === null) return;
    await this.#reached(this.#deps.log.placesIn(this.#position(atLeast)));
  }

  async #reached(places: Places): Promise<void> {
    const abort = new AbortController();
    const cancel = this.#deps.clock.after(limits.atLeastWaitMs, () => {
      abort.abort(
        new HubError(
          'unavailable',
          `the store has not reached this position within ${limits.atLeastWaitMs / 1_000} s`,
          { retryAfterS: 1 },
        ),
      );
    });
    try {
      await this.#deps.store.reached(places, abort.signal);
    } finally {
      cancel();
    }
  }

  /** None for a position of another log. */
  #placesIn(position: Position): Places {
    try {
      return this.#deps.log.placesIn(position);
    } catch (reason) {
      if (HubError.from(reason).code !== 'position_gone') throw reason;
      return new Map();
    }
  }

  #position(text: unknown): Position {
    if (typeof text === 'string' && this.#deps.log.isPosition(text)) return text;
    throw invalid(
      '/at_least',
      'position_format',
      'this is no position: use the `position` of an answer to a send',
    );
  }
}

function covers(reached: Places, places: Places): boolean {
  if (places.size === 0) return false;
  return [...places].every(([shard, position]) => (reached.get(shard) ?? '') >= position);
}
