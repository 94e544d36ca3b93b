import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { KafkaCluster } from '../../../src/log/kafka/kafka-cluster.ts';
import { toRecord } from '../../../src/log/kafka/kafka-record.ts';
import { parseKafkaUrl } from '../../../src/log/kafka/kafka-target.ts';
import { byId, byName, produceOf } from '../../../src/log/kafka/produce.ts';
import { RecordBatchBuilder } from '../../../src/log/kafka/record-batch.ts';
import { anEvent } from '../../support/build-event.ts';
import { sharedKafka } from '../../support/engines/shared-engines.ts';
import { removeTopic, topicOf } from '../../support/kafka-harness.ts';
import { createTopic, durableTopicSettings } from '../../support/kafka-topic.ts';
import { describeWithEngines } from '../../support/needed-program.ts';

/** As of a producer that does not number its batches. */
const unnumbered = { producerId: -1n, producerEpoch: -1, sequence: -1 };

/** A topic of one partition, and batches to write into it. */
async function opened() {
  const url = await sharedKafka();
  await createTopic(url, durableTopicSettings, 1);
  const cluster = new KafkaCluster(parseKafkaUrl(url), systemClock);
  onTestFinished(async () => {
    await cluster.close();
    await removeTopic(url);
  });
  // A broker shows a topic a moment before it writes to it.
  await cluster.extents([0]);
  const { id, partitions } = await cluster.knownTopic();
  const connection = await cluster.connection(cluster.pool, partitions[0]?.leader ?? -1);
  const batch = () => {
    const builder = new RecordBatchBuilder();
    builder.add(toRecord(anEvent(), undefined));
    return builder.build('none').numbered(unnumbered);
  };
  return { cluster, connection, topic: { name: topicOf(url), id }, batch };
}

describeWithEngines('a request to a broker', ['kafka'], () => {
  const versions = [
    ['by the name of the topic', byName],
    ['by the id of the topic', byId],
  ] as const;
  describe.each(versions)('%s', (_, api) => {
    it('writes a batch, and says where', async () => {
      const { connection, topic, batch, cluster } = await opened();
      for (const offset of [0n, 1n]) {
        const answer = await api.async(connection, topic, new Map([[0, batch()]]));
        expect(answer).toEqual({
          partitions: [{ partition: 0, errorCode: 0, baseOffset: offset }],
        });
      }
      expect(await cluster.extents([0])).toEqual(new Map([[0, { first: 0, end: 2 }]]));
    });

    it('rejects for a partition that is not written, and tells of those that are', async () => {
      const { connection, topic, batch } = await opened();
      const batches = new Map([0, 9].map((partition) => [partition, batch()]));
      const fault = await api.async(connection, topic, batches).catch((reason) => reason);
      expect(fault.errors).toMatchObject([{ apiId: 'UNKNOWN_TOPIC_OR_PARTITION', canRetry: true }]);
      expect(fault.response.partitions).toContainEqual({
        partition: 0,
        errorCode: 0,
        baseOffset: 0n,
      });
    });
  });

  it('goes by the id where the broker knows it', async () => {
    const { connection, topic, batch } = await opened();
    const produce = await produceOf(connection);
    const gone = { ...topic, id: '00000000-0000-4000-8000-000000000000' };
    const fault = await produce(connection, gone, new Map([[0, batch()]])).catch(
      (reason) => reason,
    );
    expect(fault.errors).toMatchObject([{ apiId: 'UNKNOWN_TOPIC_ID' }]);
  });
});
