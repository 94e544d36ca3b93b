import type { ClientSession, Decimal128, Document } from 'mongodb';
import { dateOf, type Instant } from '../../base/clock.ts';
import { minuteMs } from '../../event/minute.ts';
import type { Position } from '../../log/event-log.ts';
import type { AggregateQuery, Aggregates, AsOf, Bucket } from '../event-store.ts';
import { mergeBuckets } from '../merge-buckets.ts';
import { type Collections, indexes } from './collections.ts';
import { fromDecimal128 } from './decimal128.ts';
import { between, boundsOf, filterOf } from './find-events.ts';
import { assertWhole } from './frozen.ts';
import { inSnapshot } from './transactions.ts';

/**
 * Whole minutes from the counts and the edges from the events: the cost follows
 * the window and not the number of events stored. For one user's events there
 * are no counts; their own index and the window's part of the log bound those.
 * The session makes it one snapshot.
 */
export async function aggregateEvents(
  collections: Collections,
  query: AggregateQuery,
  session: ClientSession,
): Promise<Aggregates> {
  await assertWhole(collections, query, { session, readConcern: inSnapshot });
  const asOf = await newestCounted(collections, session);
  const parts = await bucketsOf({ collections, query, session });
  return { buckets: mergeBuckets(parts), asOf };
}

async function newestCounted(
  { positions }: Collections,
  session: ClientSession,
): Promise<AsOf | undefined> {
  const found = await positions.find({}, { session, readConcern: inSnapshot }).toArray();
  let newest: AsOf | undefined;
  for (const { counted_position: position, counted_at: at } of found) {
    if (position === undefined || at === undefined) continue;
    const receivedAt = at.getTime();
    if (newest === undefined || receivedAt > newest.receivedAt) {
      newest = { position: position as Position, receivedAt };
    }
  }
  return newest;
}

interface Reading {
  readonly collections: Collections;
  readonly query: AggregateQuery;
  readonly session: ClientSession;
}

async function bucketsOf(reading: Reading): Promise<readonly Bucket[]> {
  const { from, to, filter } = reading.query;
  if (filter.userIds !== undefined) return await ofUsers(reading);
  const firstWhole = Math.ceil(from / minuteMs) * minuteMs;
  const lastWhole = Math.floor(to / minuteMs) * minuteMs;
  if (firstWhole >= lastWhole) return await ofEvents(reading, from, to);
  return [
    ...(await ofEvents(reading, from, firstWhole)),
    ...(await ofMinutes(reading, firstWhole, lastWhole)),
    ...(await ofEvents(reading, lastWhole, to)),
  ];
}

function ofMinutes({ collections, query, session }: Reading, from: Instant, to: Instant) {
  const $match = { minute: window(from, to), ...filterOf(query.filter) };
  const sums = { eventCount: { $sum: '$event_count' }, total: { $sum: '$total' } };
  const pipeline = [{ $match }, grouped(query, '$minute', sums)];
  const options = { session, readConcern: inSnapshot, hint: indexes.minute };
  return toBuckets(collections.minutes.aggregate<Group>(pipeline, options).toArray());
}

async function ofEvents(
  { collections, query, session }: Reading,
  from: Instant,
  to: Instant,
): Promise<readonly Bucket[]> {
  if (from >= to) return [];
  const $match = { timestamp: window(from, to), ...filterOf(query.filter) };
  const pipeline = [{ $match }, grouped(query, '$timestamp', eventSums)];
  const options = { session, readConcern: inSnapshot, hint: indexes.timestamp };
  return await toBuckets(collections.events.aggregate<Group>(pipeline, options).toArray());
}

async function ofUsers({ collections, query, session }: Reading): Promise<readonly Bucket[]> {
  const { from, to, filter } = query;
  const bounds = await boundsOf(collections, from, to, { session, readConcern: inSnapshot });
  if (bounds === undefined) return [];
  const $match = {
    ...filterOf(filter),
    [collections.order.field]: between(bounds),
    timestamp: window(from, to),
  };
  const pipeline = [{ $match }, grouped(query, '$timestamp', eventSums)];
  const options = { session, readConcern: inSnapshot, hint: indexes.user };
  return await toBuckets(collections.events.aggregate<Group>(pipeline, options).toArray());
}

const eventSums = { eventCount: { $sum: 1 }, total: { $sum: '$amount' } };

interface Group {
  readonly _id: { readonly start: number; readonly eventType: string; readonly currency: string };
  readonly eventCount: number;
  readonly total: Decimal128;
}

function grouped({ from, stepMs }: AggregateQuery, time: string, sums: Document): Document {
  const ms = { $toLong: time };
  const start =
    stepMs === undefined ? { $literal: from } : { $subtract: [ms, { $mod: [ms, stepMs] }] };
  return { $group: { _id: { start, eventType: '$event_type', currency: '$currency' }, ...sums } };
}

async function toBuckets(groups: Promise<readonly Group[]>): Promise<readonly Bucket[]> {
  return (await groups).map(({ _id, eventCount, total }) => ({
    ..._id,
    eventCount,
    total: fromDecimal128(total),
  }));
}

function window(from: Instant, to: Instant) {
  return { $gte: dateOf(from), $lt: dateOf(to) };
}
