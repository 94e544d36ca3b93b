import type { ClientSession } from 'mongodb';
import { dateOf, type Instant } from '../../base/clock.ts';
import type { Stretch } from '../compare-counts.ts';
import type { AggregateQuery } from '../event-store.ts';
import { frozenMinute, neededEvents } from '../frozen-minutes.ts';
import type { Collections } from './collections.ts';

/** Of a transaction or a snapshot. */
export interface Reading {
  readonly session: ClientSession;
  readonly readConcern?: { readonly level: 'snapshot' };
}

/** Those of a stretch. */
export async function frozenIn(
  { frozenMinutes }: Collections,
  stretch: Stretch,
  reading: Reading,
): Promise<ReadonlySet<Instant>> {
  const found = await frozenMinutes.find({ _id: within(stretch) }, reading).toArray();
  return new Set(found.map(({ _id }) => _id.getTime()));
}

/** After one of them, oldest first. */
export async function frozenAfter(
  { frozenMinutes }: Collections,
  after: Instant | undefined,
  limit: number,
  reading: Reading,
): Promise<readonly Instant[]> {
  const filter = after === undefined ? {} : { _id: { $gt: dateOf(after) } };
  const found = await frozenMinutes.find(filter, reading).sort({ _id: 1 }).limit(limit).toArray();
  return found.map(({ _id }) => _id.getTime());
}

/** Those of the given minutes that are not frozen. */
export async function wholeOf(
  { frozenMinutes }: Collections,
  minutes: Iterable<Instant>,
  reading: Partial<Reading> = {},
): Promise<readonly Instant[]> {
  const whole = new Set(minutes);
  const _id = { $in: [...whole].map(dateOf) };
  for await (const frozen of frozenMinutes.find({ _id }, reading))
    whole.delete(frozen._id.getTime());
  return [...whole];
}

/** Rejects with `invalid` where the answer would need an event that was removed. */
export async function assertWhole(
  { frozenMinutes }: Collections,
  query: AggregateQuery,
  reading: Reading,
): Promise<void> {
  for (const needed of neededEvents(query)) {
    const newest = await frozenMinutes.findOne(
      { _id: within(needed) },
      { ...reading, sort: { _id: -1 } },
    );
    if (newest !== null) throw frozenMinute(needed, newest._id.getTime());
  }
}

function within({ from, to }: Stretch) {
  return { $gte: dateOf(from), $lt: dateOf(to) };
}
