import {
  ConfigResourceTypes,
  Consumer,
  IncrementalAlterConfigOperationTypes,
  Producer,
} from '@platformatic/kafka';
import type { Event } from '../../src/event/event.ts';
import { eventToLogJson } from '../../src/event/event-json.ts';
import { freshName } from './engines/shared-engines.ts';
import { topicOf, untilShown, withAdmin } from './kafka-harness.ts';

/** A record as anybody may write it. */
export interface PlainRecord {
  readonly value: string;
  readonly key?: string;
  readonly partition?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** And as anybody reads it. */
export interface ReadRecord {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestamp: number;
  readonly partition: number;
}

type Settings = Readonly<Record<string, string>>;

/** As durable as the hub makes it on one broker. */
export const durableTopicSettings: Settings = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'unclean.leader.election.enable': 'false',
  'min.insync.replicas': '1',
  'flush.messages': '1',
};

export async function createTopic(
  url: string,
  settings: Settings = durableTopicSettings,
  partitions = 6,
): Promise<void> {
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value }));
  const topics = [{ topic: topicOf(url), partitions, replicas: 1 }];
  await withAdmin(url, async (admin) => {
    await admin.createTopics({ topics, configs });
    await untilShown(admin, topicOf(url), partitions);
  });
}

export async function setTopic(url: string, settings: Settings): Promise<void> {
  const configs = Object.entries(settings).map(([name, value]) => ({
    name,
    value,
    configOperation: IncrementalAlterConfigOperationTypes.SET,
  }));
  const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topicOf(url), configs };
  await withAdmin(url, (admin) => admin.incrementalAlterConfigs({ resources: [resource] }));
}

export async function topicSettings(url: string): Promise<Settings> {
  const asked = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topicOf(url) };
  const [found] = await withAdmin(url, (admin) => admin.describeConfigs({ resources: [asked] }));
  return Object.fromEntries(found?.configs.map(({ name, value }) => [name, value ?? '']) ?? []);
}

export async function growTopic(url: string, count: number): Promise<void> {
  const topics = [{ name: topicOf(url), count }];
  await withAdmin(url, async (admin) => {
    await admin.createPartitions({ topics });
    await untilShown(admin, topicOf(url), count);
  });
}

/** As a hub would write it, with what a test cares about in its value changed. */
export function recordOf(
  event: Event,
  changes: Readonly<Record<string, unknown>> = {},
): PlainRecord {
  const value = JSON.stringify({ ...JSON.parse(eventToLogJson(event)), ...changes });
  return { key: event.userId, value, headers: { event_id: event.id } };
}

/** Writes as a program would that knows nothing of hubs. */
export async function produce(url: string, records: readonly PlainRecord[]): Promise<void> {
  const topic = topicOf(url);
  const producer = new Producer({ clientId: 'test', bootstrapBrokers: [new URL(url).host] });
  const messages = records.map(({ key, value, partition, headers = {} }) => ({
    topic,
    value: Buffer.from(value),
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
    ...(partition === undefined ? {} : { partition }),
    headers: new Map(
      Object.entries(headers).map(([n, text]) => [Buffer.from(n), Buffer.from(text)]),
    ),
  }));
  try {
    await producer.send({ messages, acks: -1 });
  } finally {
    await producer.close();
  }
}

/** The first so many records, by a consumer as any program has it: in order within a partition. */
export async function consume(url: string, count: number): Promise<readonly ReadRecord[]> {
  const consumer = new Consumer({
    clientId: 'test',
    groupId: freshName('test'),
    bootstrapBrokers: [new URL(url).host],
  });
  const records: ReadRecord[] = [];
  const topics = [topicOf(url)];
  const stream = await consumer.consume({ topics, mode: 'earliest', autocommit: false });
  try {
    for await (const { key, value, headers, timestamp, partition } of stream) {
      records.push({
        key: key.toString(),
        value: value.toString(),
        headers: Object.fromEntries([...headers].map(([n, text]) => [String(n), String(text)])),
        timestamp: Number(timestamp),
        partition,
      });
      if (records.length === count) return records;
    }
    throw new Error('the stream of a consumer ended');
  } finally {
    await consumer.close(true);
  }
}
