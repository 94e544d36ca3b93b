import type { AnyBulkWriteOperation, ClientSession } from 'mongodb';
import { dateOf, formatInstant, type Instant } from '../../base/clock.ts';
import { isLate, minuteOf } from '../../event/minute.ts';
import type { LogEntry } from '../../log/event-log.ts';
import { CountTally, type Tally } from '../count-tally.ts';
import type { Collections, CountedMinuteDocument, MinuteDocument } from './collections.ts';
import { toDecimal128 } from './decimal128.ts';
import { listKeyOf, type OrderField } from './list-order.ts';

export interface Tallies {
  /** By the minutes of the events' timestamps. */
  readonly own: CountTally<string>;
  /** By the minute of the hub's own time. */
  readonly hub: CountTally<string>;
}

export function tallyEvents(
  entries: readonly LogEntry[],
  now: Instant,
  field: OrderField = 'position',
): Tallies {
  const own = new CountTally<string>();
  const hub = new CountTally<string>();
  const hubMinute = minuteOf(now);
  for (const entry of entries) {
    const { event } = entry;
    const { eventType, currency, amount } = event;
    const position = listKeyOf(entry, field);
    const minute = minuteOf(event.timestamp);
    const late = isLate(minute, now);
    own.add(minute, eventType, currency, amount, position, late);
    hub.add(hubMinute, eventType, currency, amount, position, late);
  }
  return { own, hub };
}

export async function writeCounts(
  { minutes, countedMinutes }: Collections,
  shard: string,
  { own, hub }: Tallies,
  session: ClientSession,
): Promise<void> {
  const minuteCounts = [...own.values()].map((tally) => addToMinute(shard, tally));
  await minutes.bulkWrite(minuteCounts, { session, ordered: false });
  const hubCounts = [...hub.values()].map((tally) => addToHubMinute(shard, tally));
  await countedMinutes.bulkWrite(hubCounts, { session, ordered: false });
}

export function minuteId(
  shard: string,
  { minute, eventType, currency }: Pick<Tally<string>, 'minute' | 'eventType' | 'currency'>,
): string {
  return `${shard}|${formatInstant(minute)}|${eventType}|${currency}`;
}

function addToMinute(shard: string, tally: Tally<string>): AnyBulkWriteOperation<MinuteDocument> {
  return {
    updateOne: {
      filter: { _id: minuteId(shard, tally) },
      update: {
        $setOnInsert: keysOf(shard, tally),
        $inc: { event_count: tally.eventCount, total: toDecimal128(tally.total) },
        $min: { first_position: tally.firstPosition },
        $max: { last_position: tally.lastPosition },
      },
      upsert: true,
    },
  };
}

function addToHubMinute(
  shard: string,
  tally: Tally<string>,
): AnyBulkWriteOperation<CountedMinuteDocument> {
  return {
    updateOne: {
      filter: { _id: minuteId(shard, tally) },
      update: {
        $setOnInsert: keysOf(shard, tally),
        $inc: {
          event_count: tally.eventCount,
          late_count: tally.lateCount,
          total: toDecimal128(tally.total),
        },
      },
      upsert: true,
    },
  };
}

function keysOf(shard: string, { minute, eventType, currency }: Tally<string>) {
  return { shard, minute: dateOf(minute), event_type: eventType, currency };
}
