import type { ClientSession } from 'mongodb';
import { dateOf, type Instant } from '../../base/clock.ts';
import { minuteMs, minuteOf } from '../../event/minute.ts';
import {
  adjacentStretches,
  compareCounts,
  cutStretches,
  frozenMinutesOf,
  type MinuteCount,
  type Stretch,
} from '../compare-counts.ts';
import type { CountDifference, FrozenMinute } from '../event-store.ts';
import { mergeBuckets } from '../merge-buckets.ts';
import { type Collections, indexes, type MinuteDocument } from './collections.ts';
import { fromDecimal128 } from './decimal128.ts';
import { frozenAfter, frozenIn, type Reading } from './frozen.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { inSnapshot, readSnapshot, type Transactions } from './transactions.ts';
import { minuteId } from './write-counts.ts';

/** Events in one stretch: well under a second, and under what a transaction may take. */
const stretchEvents = 50_000;

/** See `EventStore.verify`: each stretch in a snapshot of its own. */
export async function verifyCounts(
  connection: MongoConnection,
): Promise<readonly CountDifference[]> {
  const differences: CountDifference[] = [];
  for (const stretch of await stretches(connection)) {
    const found = await connection.use((collections) =>
      readSnapshot(connection, async (session) => {
        const reading = { session, readConcern: inSnapshot };
        const { counted, recomputed } = await bothSides(collections, stretch, reading);
        return compareCounts(overShards(counted), overShards(recomputed));
      }),
    );
    differences.push(...found);
  }
  return differences;
}

/** See `EventStore.rebuild`: each stretch in a transaction, which keeps the archive reader out. */
export async function rebuildCounts(
  connection: MongoConnection,
  transactions: Transactions,
): Promise<number> {
  let changed = 0;
  for (const stretch of await stretches(connection)) {
    changed += await connection.use((collections) =>
      transactions.run((session) => rebuildStretch(collections, stretch, session)),
    );
  }
  return changed;
}

async function rebuildStretch(
  collections: Collections,
  stretch: Stretch,
  session: ClientSession,
): Promise<number> {
  // A reader that records at the same time meets this write, and one of the two begins again.
  // Retention need not be met: as long as a minute is whole, what its events say here is right.
  await collections.positions.updateMany({}, { $inc: { transactions: 1 } }, { session });
  const { counted, recomputed } = await bothSides(collections, stretch, { session });
  const differences = compareCounts(overShards(counted), overShards(recomputed));
  if (differences.length === 0) return 0;
  const replaced = counted.map(({ _id }) => _id);
  await collections.minutes.deleteMany({ _id: { $in: replaced } }, { session });
  if (recomputed.length > 0) await collections.minutes.insertMany([...recomputed], { session });
  return differences.length;
}

/** See `EventStore.frozenMinutes`. */
export async function frozenMinutes(
  connection: MongoConnection,
  after: Instant | undefined,
  limit: number,
): Promise<readonly FrozenMinute[]> {
  return await connection.use((collections) =>
    readSnapshot(connection, async (session) => {
      const reading = { session, readConcern: inSnapshot };
      const minutes = await frozenAfter(collections, after, limit, reading);
      const differences: CountDifference[] = [];
      for (const stretch of adjacentStretches(minutes)) {
        const { counted, recomputed } = await bothSides(collections, stretch, reading, 'frozen');
        differences.push(...compareCounts(overShards(counted), overShards(recomputed)));
      }
      return frozenMinutesOf(minutes, differences);
    }),
  );
}

/** What was counted and what the events say, of the minutes that lost none, or of the others. */
async function bothSides(
  collections: Collections,
  stretch: Stretch,
  reading: Reading,
  which: 'whole' | 'frozen' = 'whole',
) {
  const frozen = await frozenIn(collections, stretch, reading);
  const isWanted = ({ minute }: MinuteDocument) =>
    frozen.has(minute.getTime()) === (which === 'frozen');
  const counted = await countedIn(collections, stretch, reading);
  const recomputed = await recompute(collections, stretch, reading);
  return { counted: counted.filter(isWanted), recomputed: recomputed.filter(isWanted) };
}

async function stretches(connection: MongoConnection): Promise<readonly Stretch[]> {
  return await connection.use((collections) =>
    readSnapshot(connection, async (session) => {
      const reading = { session, readConcern: inSnapshot };
      const rows = await collections.minutes
        .aggregate<{ _id: Date; events: number }>(
          [
            { $sort: { minute: 1 } },
            { $group: { _id: '$minute', events: { $sum: '$event_count' } } },
          ],
          { ...reading, hint: indexes.minute },
        )
        .toArray();
      const events = new Map(rows.map(({ _id, events }) => [_id.getTime(), events]));
      // Events outside all counted minutes are a difference too.
      for (const order of [1, -1] as const) {
        const minute = await outermostMinute(collections, order, reading);
        if (minute !== undefined && !events.has(minute)) events.set(minute, 0);
      }
      const minutes = [...events].map(([minute, count]) => ({ minute, events: count }));
      return cutStretches(
        minutes.sort((a, b) => a.minute - b.minute),
        stretchEvents,
      );
    }),
  );
}

async function outermostMinute(
  { events }: Collections,
  order: 1 | -1,
  reading: Reading,
): Promise<Instant | undefined> {
  const event = await events.findOne(
    {},
    { ...reading, sort: { timestamp: order }, hint: indexes.timestamp },
  );
  return event === null ? undefined : minuteOf(event.timestamp.getTime());
}

async function countedIn(
  { minutes }: Collections,
  stretch: Stretch,
  reading: Reading,
): Promise<readonly MinuteDocument[]> {
  return await minutes
    .find({ minute: window(stretch) }, { ...reading, hint: indexes.minute })
    .toArray();
}

/** The documents of the minutes as the events say. */
async function recompute(
  { events, order }: Collections,
  stretch: Stretch,
  reading: Reading,
): Promise<readonly MinuteDocument[]> {
  const ms = { $toLong: '$timestamp' };
  const minute = { $toDate: { $subtract: [ms, { $mod: [ms, minuteMs] }] } };
  const _id = { shard: '$shard', minute, event_type: '$event_type', currency: '$currency' };
  const groups = await events
    .aggregate<Group>(
      [
        { $match: { timestamp: window(stretch) } },
        {
          $group: {
            _id,
            event_count: { $sum: 1 },
            total: { $sum: '$amount' },
            first_position: { $min: `$${order.field}` },
            last_position: { $max: `$${order.field}` },
          },
        },
      ],
      { ...reading, hint: indexes.timestamp },
    )
    .toArray();
  return groups.map(({ _id: keys, ...sums }) => {
    const tally = {
      minute: keys.minute.getTime(),
      eventType: keys.event_type,
      currency: keys.currency,
    };
    return { _id: minuteId(keys.shard, tally), ...keys, ...sums };
  });
}

interface Group
  extends Omit<MinuteDocument, '_id' | 'shard' | 'minute' | 'event_type' | 'currency'> {
  readonly _id: Pick<MinuteDocument, 'shard' | 'minute' | 'event_type' | 'currency'>;
}

function overShards(documents: readonly MinuteDocument[]): readonly MinuteCount[] {
  const buckets = documents.map((document) => ({
    start: document.minute.getTime(),
    eventType: document.event_type,
    currency: document.currency,
    eventCount: document.event_count,
    total: fromDecimal128(document.total),
  }));
  return mergeBuckets(buckets).map(({ start, ...count }) => ({ minute: start, ...count }));
}

function window({ from, to }: Stretch) {
  return { $gte: dateOf(from), $lt: dateOf(to) };
}
