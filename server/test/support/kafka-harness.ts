import { randomUUID } from 'node:crypto';
import { Admin } from '@platformatic/kafka';
import { MongoClient } from 'mongodb';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { decorated } from '../../src/log/decorated.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { withGroupCommit } from '../../src/log/group-commit.ts';
import type { OpenLogOptions } from '../../src/log/index.ts';
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts';
import { withKnownIds } from '../../src/log/known-ids.ts';
import { ShardReaders } from '../../src/readers/shard-readers.ts';
import { openMongoStore } from '../../src/store/mongo/mongo-store.ts';
import type { LogHarness } from '../log/event-log.suite.ts';
import { sharedKafka, sharedMongo } from './engines/shared-engines.ts';

/**
 * A log in a topic of its own on the broker that all tests share, with a store
 * and archive readers beside it: a Kafka log alone forgets which ids it holds.
 */
export async function kafkaLogHarness(
  decorate: (log: EventLog) => EventLog = (log) => log,
): Promise<LogHarness> {
  const [url, storeUrl] = await Promise.all([sharedKafka(), sharedMongo()]);
  const remove = async () => {
    await deleteTopic(url);
    const client = new MongoClient(storeUrl);
    await client.db().dropDatabase();
    await client.close();
  };
  return {
    open: async () => decorate(await openArchived(url, storeUrl)),
    replace: remove,
    destroy: remove,
  };
}

/** When it closes, all that it holds is archived. */
async function openArchived(url: string, storeUrl: string): Promise<EventLog> {
  const log = await openLog(url);
  const store = await openMongoStore(storeUrl, { exclusive: true, isLogSharded: true });
  const deps = { log, store, clock: systemClock, logger: silentLogger };
  const readers = new ShardReaders({ ...deps, holder: randomUUID() });
  readers.start();
  let closed: Promise<void> | undefined;
  const close = async () => {
    const end = await log.end();
    if (end !== undefined) await store.reached(log.placesIn(end), AbortSignal.timeout(30_000));
    await readers.stop();
    await Promise.all([log.close(), store.close()]);
  };
  const known = withKnownIds(log, { store, logger: silentLogger });
  return decorated(withGroupCommit(known), {
    close: () => {
      closed ??= close();
      return closed;
    },
  });
}

/** Opens a log for a test of its own engine. */
export async function openLog(
  url: string,
  options: Partial<OpenLogOptions> = {},
): Promise<EventLog> {
  return await openKafkaLog(url, { exclusive: true, ...options });
}

/** What Kafka's own tools would do. */
export async function withAdmin<T>(url: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const { host } = new URL(url);
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [host] });
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

export function topicOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

/** The next test's topics are another's: what fails here is only left over. */
export async function removeTopic(url: string): Promise<void> {
  await deleteTopic(url).catch(() => undefined);
}

export async function deleteTopic(url: string): Promise<void> {
  await withAdmin(url, async (admin) => {
    await admin.deleteTopics({ topics: [topicOf(url)] });
    await untilShown(admin, topicOf(url), 0);
  });
}

/** Until the broker knows so many partitions: it hears of a change a moment after the controller has answered. */
export async function untilShown(admin: Admin, topic: string, partitions: number): Promise<void> {
  while ((await shownPartitions(admin, topic)) !== partitions) await systemClock.sleep(20);
}

async function shownPartitions(admin: Admin, topic: string): Promise<number | undefined> {
  if (!(await admin.listTopics()).includes(topic)) return 0;
  const metadata = await admin
    .metadata({ topics: [topic], forceUpdate: true })
    .catch(() => undefined);
  return metadata?.topics.get(topic)?.partitions.length;
}
