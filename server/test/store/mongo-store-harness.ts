import { MongoClient } from 'mongodb';
import { dateOf } from '../../src/base/clock.ts';
import type { Event } from '../../src/event/event.ts';
import type { LogEntry } from '../../src/log/event-log.ts';
import { formatPosition } from '../../src/log/kafka/kafka-position.ts';
import { toDecimal128 } from '../../src/store/mongo/decimal128.ts';
import { openMongoStore } from '../../src/store/mongo/mongo-store.ts';
import { sharedMongo } from '../support/engines/shared-engines.ts';
import type { StoreHarness } from './event-store.suite.ts';
import { logEntries } from './mongo/mongo-stores.ts';

export interface MongoHarnessOptions {
  /** With a database that nobody else uses; one on the MongoDB that all tests share when absent. */
  readonly url?: string;
  /** Events are listed by the time of receipt, which here rises with the position. */
  readonly isLogSharded?: boolean;
  /** Done before the first store is opened. */
  readonly prepare?: (client: MongoClient) => Promise<void>;
}

/** A store in a database of its own, which is dropped in the end. */
export async function mongoStoreHarness(options: MongoHarnessOptions = {}): Promise<StoreHarness> {
  const { url = await sharedMongo(), isLogSharded = false, prepare } = options;
  const client = new MongoClient(url);
  await prepare?.(client);
  return {
    open: () => openMongoStore(url, { exclusive: true, isLogSharded }),
    entries: async (events, first) =>
      isLogSharded ? partitionEntries(events, first) : logEntries(events, first),
    damageCounts: async (minute) => {
      const one = minute === undefined ? {} : { minute: dateOf(minute) };
      await client
        .db()
        .collection('minute_metrics')
        .updateOne(one, { $inc: { total: toDecimal128(1n) } });
    },
    destroy: async () => {
      await client.db().dropDatabase();
      await client.close();
    },
  };
}

const noon = Date.UTC(2026, 5, 30, 12, 0, 0);

function partitionEntries(events: readonly Event[], first: number): readonly LogEntry[] {
  return events.map((event, index) =>
    partitionEntry(0, first + index, { ...event, receivedAt: noon + 1_000 * (first + index) }),
  );
}

const mark = { topicId: 'abcdef01', partitions: 6 };

/** An entry as a log with shards has it. */
export function partitionEntry(partition: number, offset: number, event: Event): LogEntry {
  const position = formatPosition({ partition, offset, fingerprint: '01234567' }, mark);
  return { shard: String(partition), position, event };
}
