import { systemClock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { parseKafkaUrl } from './kafka-target.ts';
import { assertOfHub } from './topic-settings.ts';
import { groupOf } from './upkeep.ts';

/**
 * Deletes the topic for good. Rejects with `conflict` when it is not a hub's,
 * with `not_found` when there is none. Kafka does not say whether a hub writes
 * to it: that the store shows, which is looked at first.
 */
export async function eraseKafka(url: string): Promise<void> {
  const target = parseKafkaUrl(url);
  const cluster = new KafkaCluster(target, systemClock);
  try {
    const facts = await cluster.topic();
    if (facts === undefined)
      throw new HubError('not_found', `there is no topic at ${target.shown}`);
    await assertOfHub(cluster, facts, { strict: true });
    await cluster.ask(cluster.admin.deleteTopics({ topics: [target.topic] }));
    // It is there only after something was archived.
    await cluster
      .ask(cluster.admin.deleteGroups({ groups: [groupOf(target.topic)] }))
      .catch(() => undefined);
  } finally {
    await cluster.close();
  }
}
