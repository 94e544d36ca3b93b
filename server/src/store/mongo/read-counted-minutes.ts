import type { Decimal128 } from 'mongodb';
import { dateOf, type Instant } from '../../base/clock.ts';
import type { CountedMinute } from '../event-store.ts';
import { type Collections, indexes } from './collections.ts';
import { fromDecimal128 } from './decimal128.ts';

/** Counts by the hub's minutes before `end`, over all shards, sorted by minute, type and currency. */
export async function readCountedMinutes(
  { countedMinutes }: Collections,
  end: Instant,
): Promise<readonly CountedMinute[]> {
  const groups = await countedMinutes
    .aggregate<Group>(
      [
        { $match: { minute: { $lt: latestDate(end) } } },
        {
          $group: {
            _id: { minute: '$minute', eventType: '$event_type', currency: '$currency' },
            eventCount: { $sum: '$event_count' },
            lateCount: { $sum: '$late_count' },
            total: { $sum: '$total' },
          },
        },
        { $sort: { _id: 1 } },
      ],
      { hint: indexes.minute },
    )
    .toArray();
  return groups.map(({ _id, total, ...counts }) => ({
    ..._id,
    ...counts,
    minute: _id.minute.getTime(),
    total: fromDecimal128(total),
  }));
}

/** For an end that may lie beyond what a date can hold. */
export function latestDate(end: Instant): Date {
  return dateOf(Math.min(end, dateMax));
}

const dateMax = 8.64e15;

interface Group {
  readonly _id: { readonly minute: Date; readonly eventType: string; readonly currency: string };
  readonly eventCount: number;
  readonly lateCount: number;
  readonly total: Decimal128;
}
