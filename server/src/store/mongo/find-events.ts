import type { ClientSession, Document, Filter as MongoFilter } from 'mongodb';
import { dateOf, type Instant } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { eventCharacters } from '../../event/event-bytes.ts';
import type { Filter } from '../../event/filter.ts';
import { minuteOf } from '../../event/minute.ts';
import type { LogEntry, Position } from '../../log/event-log.ts';
import type { ListQuery, Page, StoredEvent } from '../event-store.ts';
import { type Collections, type EventDocument, indexes, listIndex } from './collections.ts';
import { entryOf, storedEvent } from './event-documents.ts';
import type { Reading } from './frozen.ts';
import type { OrderField } from './list-order.ts';

/** A window with fewer events is read through the index on time and sorted; a larger one in list order. */
const sortedEventsMax = 20_000;

/** Before the first minute, and after the last one, that a timestamp can have. */
const beginning: Instant = 0;
const end: Instant = Date.UTC(9999, 11, 31);

/** The part of the list order in which the events of a window lie. */
export interface Bounds {
  readonly events: number;
  readonly first: string;
  readonly last: string;
}

/**
 * Up to `limit` events in list order, through the index that fits the query: the
 * cost follows the page, or the events of the asked users or of a small window.
 * A rare currency alone has no index and is looked for in list order.
 */
export async function findEvents(collections: Collections, query: ListQuery): Promise<Page> {
  const plan = await planOf(collections, query);
  if (plan === undefined) return { events: [], hasMore: false };
  const cursor = collections.events
    .find(plan.filter, { hint: plan.index })
    .sort({ [collections.order.field]: query.order === 'asc' ? 1 : -1 })
    // One more only tells that there are more.
    .limit(query.limit + 1);
  const events: StoredEvent[] = [];
  // One document at a time: metadata taken apart is many times as large as its text.
  for await (const document of cursor) events.push(storedEvent(document));
  return { events: events.slice(0, query.limit), hasMore: events.length > query.limit };
}

/** Entries after a position, in log order: up to `limit`, fewer when they are long. */
export async function entriesBehind(
  { events }: Collections,
  shard: string,
  after: Position | undefined,
  limit: number,
  reading: Reading,
): Promise<readonly LogEntry[]> {
  const entries: LogEntry[] = [];
  let characters = 0;
  const cursor = events
    .find(
      { shard, ...(after === undefined ? {} : { position: { $gt: after as string } }) },
      { ...reading, hint: indexes.position },
    )
    .sort({ position: 1 })
    .limit(limit);
  for await (const document of cursor) {
    const entry = entryOf(document);
    entries.push(entry);
    characters += eventCharacters(entry.event);
    if (characters >= limits.readCharacters) break;
  }
  return entries;
}

/** Of the whole minutes that hold `[from, to)`; undefined where nothing was counted. */
export async function boundsOf(
  { minutes }: Collections,
  from: Instant,
  to: Instant,
  options: { session?: ClientSession; readConcern?: { level: 'snapshot' } } = {},
): Promise<Bounds | undefined> {
  const found = await minutes
    .aggregate<Bounds>(
      [
        { $match: { minute: { $gte: dateOf(minuteOf(from)), $lt: dateOf(to) } } },
        {
          $group: {
            _id: null,
            events: { $sum: '$event_count' },
            first: { $min: '$first_position' },
            last: { $max: '$last_position' },
          },
        },
      ],
      { hint: indexes.minute, ...options },
    )
    .toArray();
  return found[0];
}

/** The filter as MongoDB's; `matches` in event/filter.ts says the same of one event, and a test compares them. */
export function filterOf({ userIds, eventTypes, currency }: Filter) {
  return {
    ...(userIds === undefined ? {} : { user_id: { $in: [...userIds] } }),
    ...(eventTypes === undefined ? {} : { event_type: { $in: [...eventTypes] } }),
    ...(currency === undefined ? {} : { currency }),
  };
}

interface Plan {
  readonly filter: MongoFilter<EventDocument>;
  readonly index: string;
}

/** Undefined when nothing can be found. */
async function planOf(collections: Collections, query: ListQuery): Promise<Plan | undefined> {
  const { filter, from = beginning, to = end } = query;
  const { field } = collections.order;
  const asked = filterOf(filter);
  const beyond = beyondOf(query);
  if (query.from === undefined && query.to === undefined) {
    return { filter: { ...asked, [field]: beyond }, index: indexInOrder(filter, field) };
  }
  const bounds = await boundsOf(collections, from, to);
  if (bounds === undefined) return undefined;
  const inWindow = { ...asked, timestamp: { $gte: dateOf(from), $lt: dateOf(to) } };
  if (filter.userIds === undefined && bounds.events <= sortedEventsMax) {
    return { filter: { ...inWindow, [field]: beyond }, index: indexes.timestamp };
  }
  const place = { $and: [{ [field]: beyond }, { [field]: between(bounds) }] };
  return { filter: { ...inWindow, ...place }, index: indexInOrder(filter, field) };
}

function indexInOrder({ userIds, eventTypes }: Filter, field: OrderField): string {
  if (userIds !== undefined) return indexes.user;
  return eventTypes === undefined ? listIndex(field) : indexes.type;
}

export function between({ first, last }: Bounds) {
  return { $gte: first, $lte: last };
}

/** Behind the last page, or everywhere: an index in list order is read by its keys in either case. */
function beyondOf({ after, order }: ListQuery): Document {
  if (after === undefined) return { $gte: '' };
  return order === 'desc' ? { $lt: after } : { $gt: after };
}
