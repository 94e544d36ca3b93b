import { type Admin, ConfigResourceTypes } from '@platformatic/kafka';
import { systemClock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { batchesIn } from './fetch.ts';
import { type KafkaCluster, partitionsOf, type TopicFacts } from './kafka-cluster.ts';
import { foreign, protocolCodeOf, unavailable } from './kafka-faults.ts';
import { isOfHub } from './kafka-record.ts';

/** Of the topic, as far as the hub's promises hang on them. */
export type TopicSettings = ReadonlyMap<string, string>;

const names = [
  'cleanup.policy',
  'retention.ms',
  'retention.bytes',
  'unclean.leader.election.enable',
  'min.insync.replicas',
  'flush.messages',
  'max.message.bytes',
];

/** From here on two replicas in sync are asked for; below, each answer waits for the disk. */
const replicasForQuorum = 3;

/** Makes the topic where there is none; several processes may do so at once. */
export async function makeTopic(cluster: KafkaCluster): Promise<TopicFacts> {
  const { admin, target } = cluster;
  const replicas = await defaultReplicas(cluster);
  const durable =
    replicas >= replicasForQuorum
      ? { 'min.insync.replicas': '2' }
      : { 'min.insync.replicas': '1', 'flush.messages': '1' };
  const settings = {
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'retention.bytes': '-1',
    'unclean.leader.election.enable': 'false',
    ...durable,
  };
  await cluster.ask(
    admin
      .createTopics({
        topics: [{ topic: target.topic, partitions: limits.kafkaPartitions, replicas }],
        configs: Object.entries(settings).map(([name, value]) => ({ name, value })),
      })
      .catch((reason) => {
        if (protocolCodeOf(reason) !== 'TOPIC_ALREADY_EXISTS') throw reason;
      }),
  );
  return await ledTopic(cluster);
}

/** Once each partition has a leader: brokers hear of a new topic a moment after the controller has answered. */
async function ledTopic(cluster: KafkaCluster): Promise<TopicFacts> {
  // Waiting for a broker takes the system's time in any case.
  const endMs = systemClock.monotonicMs() + limits.kafkaAnswerMs;
  for (;;) {
    const facts = await cluster.topic();
    if (facts !== undefined && isLed(facts)) return facts;
    if (systemClock.monotonicMs() >= endMs) {
      throw unavailable(`${cluster.target.shown} has partitions without a leader`);
    }
    await systemClock.sleep(limits.kafkaRetryMs);
  }
}

function isLed({ partitions }: TopicFacts): boolean {
  return partitions.length > 0 && partitions.every(({ leader }) => leader >= 0);
}

async function defaultReplicas(cluster: KafkaCluster): Promise<number> {
  const metadata = await cluster.ask(cluster.admin.metadata({ topics: [] }));
  const [broker] = metadata.brokers.keys();
  const [found] = await describe(cluster, ConfigResourceTypes.BROKER, String(broker), [
    'default.replication.factor',
  ]);
  return Number(found?.[1] ?? 1);
}

export async function readSettings(cluster: KafkaCluster): Promise<TopicSettings> {
  const { topic } = cluster.target;
  return new Map(await describe(cluster, ConfigResourceTypes.TOPIC, topic, names));
}

async function describe(
  cluster: KafkaCluster,
  resourceType: (typeof ConfigResourceTypes)[keyof typeof ConfigResourceTypes],
  resourceName: string,
  configurationKeys: string[],
): Promise<readonly (readonly [string, string])[]> {
  const asked: Parameters<Admin['describeConfigs']>[0] = {
    resources: [{ resourceType, resourceName, configurationKeys }],
  };
  const described = await cluster.ask(cluster.admin.describeConfigs(asked));
  return described.flatMap(({ configs }) => configs.map(({ name, value }) => [name, value ?? '']));
}

/** Each way in which an answer would mean less than it says, with the setting's name. */
export function weaknessesOf(facts: TopicFacts, settings: TopicSettings): readonly string[] {
  const replicas = Math.min(...facts.partitions.map((partition) => partition.replicas));
  const inSync = Number(settings.get('min.insync.replicas'));
  const found = (name: string) => `${name} is ${settings.get(name)}`;
  const weaknesses: string[] = [];
  if (settings.get('retention.ms') !== '-1') weaknesses.push(`${found('retention.ms')}, not -1`);
  if (settings.get('retention.bytes') !== '-1') {
    weaknesses.push(`${found('retention.bytes')}, not -1`);
  }
  if (settings.get('unclean.leader.election.enable') !== 'false') {
    weaknesses.push('unclean.leader.election.enable is not false');
  }
  if (replicas >= replicasForQuorum && inSync < 2) {
    weaknesses.push(`${found('min.insync.replicas')}, not 2 or more`);
  }
  const isFlushed = settings.get('flush.messages') === '1';
  if (replicas < replicasForQuorum && inSync < 2 && !isFlushed) {
    weaknesses.push(`flush.messages is not 1, with ${replicas} replica(s)`);
  }
  if (Number(settings.get('max.message.bytes')) < limits.kafkaBatchBytes) {
    weaknesses.push(`${found('max.message.bytes')}, below ${limits.kafkaBatchBytes}`);
  }
  return weaknesses;
}

/** A compacted topic forgets events: no setting allows it. */
export function assertKeepsAll(settings: TopicSettings, shown: string): void {
  if (settings.get('cleanup.policy')?.includes('compact') !== true) return;
  throw new HubError(
    'conflict',
    `${shown} compacts (cleanup.policy), which removes events: choose another topic, or set cleanup.policy=delete`,
  );
}

/**
 * Rejects with `conflict` when the oldest record of each partition that has one
 * is not a hub's, or `strict`ly of any: a stray one may stand in front of ours.
 */
export async function assertOfHub(
  cluster: KafkaCluster,
  facts: TopicFacts,
  { strict = false } = {},
): Promise<void> {
  const strangers: number[] = [];
  let ours = 0;
  for (const [partition, { first, end }] of await cluster.extents(partitionsOf(facts))) {
    if (first >= end) continue;
    const { leader = -1 } = facts.partitions[partition] ?? {};
    const from = new Map([[partition, first]]);
    const [fetched] = await cluster.fetch(cluster.pool, leader, facts.id, from, 0);
    const [batch] = fetched === undefined ? [] : batchesIn(fetched);
    const record = batch?.records[0];
    if (record === undefined) continue;
    if (isOfHub(record)) ours += 1;
    else strangers.push(partition);
  }
  if (strangers.length > 0 && (strict || ours === 0)) {
    throw foreign(`records in partition ${strangers[0]}`, cluster.target.shown);
  }
}

export function weakDurability(weaknesses: readonly string[], shown: string): HubError {
  return new HubError(
    'conflict',
    `${shown} does not keep what it acknowledges: ${weaknesses.join('; ')}. Change that (kafka-configs --alter), or allow it with EVENT_HUB_ALLOW_WEAK_DURABILITY=true`,
  );
}

export function durabilityText(
  facts: TopicFacts,
  settings: TopicSettings,
  weaknesses: readonly string[],
): string {
  if (weaknesses.length > 0) return `Kafka, WEAK: ${weaknesses.join('; ')}`;
  const replicas = Math.min(...facts.partitions.map((partition) => partition.replicas));
  return settings.get('flush.messages') === '1'
    ? `Kafka acks=all with flush.messages=1: on the disk of ${replicas === 1 ? 'the broker' : 'the brokers'} before the answer`
    : `Kafka acks=all with min.insync.replicas=${settings.get('min.insync.replicas')} of ${replicas}: on that many brokers before the answer`;
}
