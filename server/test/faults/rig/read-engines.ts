import { Consumer, MessagesStreamModes, stringDeserializers } from '@platformatic/kafka';
import { createClient } from '@redis/client';
import { type Decimal128, type Document, MongoClient } from 'mongodb';
import type { KeptContent, LoggedEntry } from './read-stored.ts';

const stream = 'events';

/** Redis and MongoDB, asked through their own clients and with the names that the design gives to people. */
export async function readKeptInEngines(redisUrl: string, mongoUrl: string): Promise<KeptContent> {
  const [log, store] = await Promise.all([readStream(redisUrl), readCollections(mongoUrl)]);
  return { ...store, integrity: 'ok', log };
}

/** `XRANGE events - +`, page by page. */
export async function readStream(url: string): Promise<readonly LoggedEntry[]> {
  const client = createClient({ url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const entries: LoggedEntry[] = [];
    let from = '-';
    for (;;) {
      const page = (await client.xRange(stream, from, '+', { COUNT: 5_000 })) ?? [];
      for (const { id, message } of page) {
        entries.push({ place: String(id), fields: Object.fromEntries(Object.entries(message)) });
      }
      const last = page.at(-1);
      if (last === undefined) return entries;
      from = `(${last.id}`;
    }
  } finally {
    client.destroy();
  }
}

/** The same of a topic of Kafka and MongoDB. */
export async function readKeptOnKafka(
  kafkaUrl: string,
  topic: string,
  mongoUrl: string,
): Promise<KeptContent> {
  const [log, store] = await Promise.all([readTopic(kafkaUrl, topic), readCollections(mongoUrl)]);
  const asideUsers = await readAside(mongoUrl);
  return { ...store, integrity: 'ok', log, isSharded: true, asideUsers };
}

/** All records of a topic, as any consumer reads them. */
async function readTopic(url: string, topic: string): Promise<readonly LoggedEntry[]> {
  const consumer = new Consumer({
    clientId: 'check',
    groupId: `check-${Date.now()}`,
    bootstrapBrokers: [new URL(url).host],
    deserializers: stringDeserializers,
  });
  try {
    const ends = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? [];
    let left = ends.reduce((sum, end) => sum + Number(end), 0);
    if (left === 0) return [];
    const stream = await consumer.consume({
      topics: [topic],
      mode: MessagesStreamModes.EARLIEST,
      autocommit: false,
    });
    const entries: LoggedEntry[] = [];
    for await (const { partition, offset, value } of stream) {
      const { id: event_id, ...fields } = JSON.parse(value);
      entries.push({ place: `${partition}/${offset}`, fields: { event_id, ...fields } });
      left -= 1;
      if (left === 0) break;
    }
    return entries;
  } finally {
    await consumer.close(true);
  }
}

async function readAside(url: string): Promise<ReadonlySet<string>> {
  const client = await MongoClient.connect(url);
  try {
    const kept = await client.db().collection<Document>('conflicts').find().toArray();
    return new Set(kept.map(({ user_id }) => String(user_id)));
  } finally {
    await client.close();
  }
}

async function readCollections(url: string): Promise<Pick<KeptContent, 'rows' | 'counts'>> {
  const client = await MongoClient.connect(url);
  try {
    const database = client.db();
    const events = await database
      .collection<Document>('events')
      .find({}, { sort: { position: 1 }, allowDiskUse: true })
      .toArray();
    const minutes = await database.collection<Document>('minute_metrics').find().toArray();
    return {
      rows: events.map((event) => ({
        position: String(event.position),
        id: String(event._id),
        user_id: String(event.user_id),
        event_type: String(event.event_type),
        amount: microsOf(event.amount),
        currency: String(event.currency),
        timestamp: (event.timestamp as Date).getTime(),
      })),
      counts: minutes.map((minute) => ({
        minute: (minute.minute as Date).getTime(),
        event_type: String(minute.event_type),
        currency: String(minute.currency),
        event_count: Number(minute.event_count),
        total: microsOf(minute.total),
      })),
    };
  } finally {
    await client.close();
  }
}

/** In millionths. MongoDB writes sums as it likes: `1.50`, `15E-1`. */
function microsOf(value: Decimal128): bigint {
  const [, units = '', decimals = '', exponent = '0'] =
    /^(\d+)(?:\.(\d+))?(?:E([+-]?\d+))?$/.exec(value.toString()) ?? [];
  const scale = 6 + Number(exponent) - decimals.length;
  const digits = BigInt(units + decimals);
  return scale >= 0 ? digits * 10n ** BigInt(scale) : digits / 10n ** BigInt(-scale);
}
