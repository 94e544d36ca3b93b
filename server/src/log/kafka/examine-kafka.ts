import { formatInstant, systemClock } from '../../base/clock.ts';
import type { Finding } from '../../base/finding.ts';
import { limits } from '../../base/limits.ts';
import { KafkaCluster, partitionsOf } from './kafka-cluster.ts';
import { parseKafkaUrl } from './kafka-target.ts';
import {
  assertKeepsAll,
  assertOfHub,
  durabilityText,
  readSettings,
  weaknessesOf,
} from './topic-settings.ts';

/** Looks at the brokers and the topic without changing anything. */
export async function examineKafka(url: string): Promise<readonly Finding[]> {
  let cluster: KafkaCluster | undefined;
  try {
    cluster = new KafkaCluster(parseKafkaUrl(url), systemClock);
    return await examineTopic(cluster);
  } catch (reason) {
    const detail = reason instanceof Error ? reason.message : String(reason);
    return [{ state: 'fail', name: 'kafka', detail }];
  } finally {
    await cluster?.close();
  }
}

async function examineTopic(cluster: KafkaCluster): Promise<readonly Finding[]> {
  const { shown, topic } = cluster.target;
  const facts = await cluster.topic();
  if (facts === undefined) {
    const detail = `"${topic}" is not there yet: \`event-hub serve\` makes it`;
    return [
      { state: 'ok', name: 'kafka', detail: shown },
      { state: 'ok', name: 'topic', detail },
    ];
  }
  const settings = await readSettings(cluster);
  const weaknesses = weaknessesOf(facts, settings);
  const durable = weaknesses.length === 0;
  const all = partitionsOf(facts);
  const extents = await cluster.extents(all);
  const held = [...extents.values()].reduce((sum, { first, end }) => sum + end - first, 0);
  const detail = `"${topic}" has ${all.length} partitions with ${held} records`;
  return [
    { state: 'ok', name: 'kafka', detail: shown },
    {
      state: durable ? 'ok' : 'fail',
      name: 'durability',
      detail: durable ? durabilityText(facts, settings, []) : weaknesses.join('; '),
    },
    await tried('topic', detail, async () => {
      assertKeepsAll(settings, shown);
      await assertOfHub(cluster, facts);
    }),
    await examineClock(cluster, all),
  ];
}

/** A hub whose clock runs ahead has written records from what is the future here. */
async function examineClock(
  cluster: KafkaCluster,
  partitions: readonly number[],
): Promise<Finding> {
  const since = systemClock.now() + limits.kafkaClockSkewMs;
  const found = await cluster.offsets(partitions, since);
  if ([...found.values()].every((offset) => offset === undefined)) {
    return { state: 'ok', name: 'clock', detail: 'no record is from the future of this clock' };
  }
  const detail = `some records were taken after ${formatInstant(since)}, which is still to come by this clock: set the clocks of all hubs (NTP)`;
  return { state: 'warn', name: 'clock', detail };
}

async function tried(name: string, detail: string, look: () => Promise<void>): Promise<Finding> {
  try {
    await look();
    return { state: 'ok', name, detail };
  } catch (reason) {
    return {
      state: 'fail',
      name,
      detail: reason instanceof Error ? reason.message : String(reason),
    };
  }
}
