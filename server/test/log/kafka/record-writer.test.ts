import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { NewEvent } from '../../../src/event/event.ts';
import { Delivery } from '../../../src/log/kafka/delivery.ts';
import { KafkaCluster } from '../../../src/log/kafka/kafka-cluster.ts';
import { markOf } from '../../../src/log/kafka/kafka-position.ts';
import { parseKafkaUrl } from '../../../src/log/kafka/kafka-target.ts';
import { RecordWriter } from '../../../src/log/kafka/record-writer.ts';
import { anEvent } from '../../support/build-event.ts';
import { sharedKafka } from '../../support/engines/shared-engines.ts';
import { deleteTopic, removeTopic } from '../../support/kafka-harness.ts';
import { createTopic, durableTopicSettings } from '../../support/kafka-topic.ts';
import { describeWithEngines } from '../../support/needed-program.ts';

const noMark = { topicId: '00000000', partitions: 1 };

function opened(url: string) {
  const cluster = new KafkaCluster(parseKafkaUrl(url), systemClock);
  const writer = new RecordWriter(cluster, systemClock);
  onTestFinished(async () => {
    await writer.close();
    await cluster.close();
  });
  return { cluster, writer };
}

function deliveryOf(...events: readonly NewEvent[]): Delivery {
  const delivery = new Delivery();
  for (const event of events) delivery.add(event, 0, undefined);
  return delivery;
}

describe('a writer of records', () => {
  const nowhere = 'kafka://127.0.0.1:9/events';

  it('settles also what it cannot make ready', async () => {
    const { writer } = opened(nowhere);
    const broken = {
      ...anEvent(),
      get userId(): string {
        throw new Error('broken');
      },
    };
    const delivery = deliveryOf(anEvent(), broken);
    await writer.write(delivery, noMark);
    await delivery.settled;
    expect([...delivery.faults.keys()]).toEqual([0, 1]);
    expect(delivery.faults.get(1)).toMatchObject({ message: 'broken' });
  });

  it('begins nothing after it was closed', async () => {
    const { writer } = opened(nowhere);
    await writer.close();
    const delivery = deliveryOf(anEvent());
    await writer.write(delivery, noMark);
    expect(delivery.faults.get(0)).toMatchObject({
      code: 'unavailable',
      message: 'the log is closed',
    });
  });
});

describeWithEngines('a writer of records to a broker', ['kafka'], () => {
  /** Of one partition, which is known. */
  const onTopic = async () => {
    const url = await sharedKafka();
    await createTopic(url, durableTopicSettings, 1);
    onTestFinished(() => removeTopic(url));
    const { cluster, writer } = opened(url);
    return { url, cluster, writer, mark: markOf(await cluster.knownTopic()) };
  };

  it('writes nothing into a topic that took the place of its own', async () => {
    const { cluster, writer, mark } = await onTopic();
    const lost = deliveryOf(anEvent());
    await writer.write(lost, { ...mark, topicId: '00000000' });
    expect(lost.faults.get(0)).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('it was deleted and made again'),
    });
    expect(await cluster.extents([0])).toEqual(new Map([[0, { first: 0, end: 0 }]]));
    const good = deliveryOf(anEvent());
    await writer.write(good, mark);
    expect(good.positionAt(0)).toMatch(/^0000-0{16}-/);
  }, 60_000);

  it('writes nothing into a topic that was made anew without a fault that told it so', async () => {
    const { url, cluster, writer, mark } = await onTopic();
    const first = deliveryOf(anEvent());
    await writer.write(first, mark);
    expect(first.positionAt(0)).toMatch(/^0000-0{16}-/);
    await deleteTopic(url);
    await createTopic(url, durableTopicSettings, 1);
    const late = deliveryOf(anEvent());
    await writer.write(late, mark);
    expect(late.faults.get(0)).toMatchObject({ code: 'unavailable' });
    expect(await cluster.extents([0])).toEqual(new Map([[0, { first: 0, end: 0 }]]));
  }, 60_000);
});
