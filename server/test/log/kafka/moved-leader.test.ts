import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { limits } from '../../../src/base/limits.ts';
import { Delivery } from '../../../src/log/kafka/delivery.ts';
import { KafkaCluster } from '../../../src/log/kafka/kafka-cluster.ts';
import { markOf } from '../../../src/log/kafka/kafka-position.ts';
import { parseKafkaUrl } from '../../../src/log/kafka/kafka-target.ts';
import { RecordWriter } from '../../../src/log/kafka/record-writer.ts';
import { anEvent } from '../../support/build-event.ts';
import { freshName } from '../../support/engines/shared-engines.ts';
import { type KafkaBehindProxy, startKafkaBehindProxy } from '../../support/kafka-behind-proxy.ts';
import { openLog } from '../../support/kafka-harness.ts';
import { createTopic, durableTopicSettings } from '../../support/kafka-topic.ts';
import { describeWithOwnEngines } from '../../support/needed-program.ts';

const PRODUCE = 0;
const NOT_LEADER_OR_FOLLOWER = 6;
const NOT_ENOUGH_REPLICAS = 19;
/** Of a frame: behind its length. In a request the version and its number follow. */
const apiKeyAt = 4;
const requestNumberAt = 8;
const answerNumberAt = 4;
/** In an answer about one partition: behind its number, no tags, one topic by its id, one partition. */
const errorCodeAt = 31;

describeWithOwnEngines('a partition that goes to another broker', ['kafka'], () => {
  let kafka: KafkaBehindProxy;
  beforeAll(async () => {
    kafka = await startKafkaBehindProxy();
    // From then on the broker has producer ids to give.
    const log = await openLog(`${kafka.server.url}/${freshName('events')}`);
    await log.append([{ events: [anEvent()], atomic: false }]);
    await log.close();
  }, 120_000);
  afterAll(() => kafka.close());

  /** A writer on a clock that moves by its own waits alone, whose broker answers some requests to write with a code. */
  const opened = async (code: number, refusals: number) => {
    const { network, networkUrl, server } = kafka;
    const topic = freshName('events');
    await createTopic(`${server.url}/${topic}`, durableTopicSettings, 1);
    let nowMs = 0;
    const clock = {
      ...systemClock,
      monotonicMs: () => nowMs,
      sleep: async (ms: number) => {
        nowMs += ms;
      },
    };
    const cluster = new KafkaCluster(parseKafkaUrl(`${networkUrl}/${topic}`), clock);
    const writer = new RecordWriter(cluster, clock);
    const requests = new Set<number>();
    let refused = 0;
    network.change('to-server', (chunk) => {
      if (chunk.length > requestNumberAt + 4 && chunk.readInt16BE(apiKeyAt) === PRODUCE) {
        requests.add(chunk.readInt32BE(requestNumberAt));
      }
      return chunk;
    });
    // As the broker says it when it has heard of the move; that it has written shows that nothing is written twice.
    network.change('to-client', (chunk) => {
      const isAnswer =
        chunk.length > errorCodeAt + 2 && requests.delete(chunk.readInt32BE(answerNumberAt));
      if (!isAnswer || refused >= refusals) return chunk;
      refused += 1;
      const changed = Buffer.from(chunk);
      changed.writeInt16BE(code, errorCodeAt);
      return changed;
    });
    onTestFinished(async () => {
      network.changeNothing();
      await writer.close();
      await cluster.close();
    });
    const mark = markOf(await cluster.knownTopic());
    const write = async () => {
      const delivery = new Delivery();
      delivery.add(anEvent(), 0, undefined);
      await writer.write(delivery, mark);
      return delivery;
    };
    return { cluster, write, waitedMs: () => nowMs };
  };

  it('is followed for a while, and written to once', async () => {
    const refusals = limits.kafkaSettleMs / limits.kafkaRetryMs - 5;
    expect(refusals).toBeGreaterThan(limits.kafkaRetries * 2);
    const { cluster, write } = await opened(NOT_LEADER_OR_FOLLOWER, refusals);
    const delivery = await write();
    expect([...delivery.faults]).toEqual([]);
    expect(delivery.positionAt(0)).toMatch(/^0000-0{16}-/);
    expect(await cluster.extents([0])).toEqual(new Map([[0, { first: 0, end: 1 }]]));
  });

  it('is not waited for longer, and the reason is told', async () => {
    const { write, waitedMs } = await opened(NOT_LEADER_OR_FOLLOWER, Number.POSITIVE_INFINITY);
    const { faults } = await write();
    expect(faults.get(0)).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('moves a partition to another broker'),
    });
    expect(waitedMs()).toBe(limits.kafkaSettleMs + limits.kafkaRetries * limits.kafkaRetryMs);
  });

  it('is told from other trouble, which fails after the usual tries', async () => {
    const { write, waitedMs } = await opened(NOT_ENOUGH_REPLICAS, Number.POSITIVE_INFINITY);
    expect((await write()).faults.get(0)).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('NOT_ENOUGH_REPLICAS'),
    });
    expect(waitedMs()).toBe(limits.kafkaRetries * limits.kafkaRetryMs);
  });
});
