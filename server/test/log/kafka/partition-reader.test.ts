import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { limits } from '../../../src/base/limits.ts';
import type { NewEvent } from '../../../src/event/event.ts';
import { eventCharacters } from '../../../src/event/event-bytes.ts';
import { KafkaCluster } from '../../../src/log/kafka/kafka-cluster.ts';
import { markOf } from '../../../src/log/kafka/kafka-position.ts';
import { parseKafkaUrl } from '../../../src/log/kafka/kafka-target.ts';
import { PartitionReader, type Start } from '../../../src/log/kafka/partition-reader.ts';
import { anEvent } from '../../support/build-event.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { useKafkaLog } from '../../support/use-kafka-log.ts';

describeWithEngines('a reader of partitions', ['kafka'], () => {
  const topic = useKafkaLog();

  /** With what the topic holds, to its end. */
  const opened = async (startOf: (partition: number) => Pick<Start, 'next' | 'after'>) => {
    const cluster = new KafkaCluster(parseKafkaUrl(topic.url), systemClock);
    onTestFinished(() => cluster.close());
    const facts = await cluster.knownTopic();
    const extents = await cluster.extents(facts.partitions.map((_, partition) => partition));
    const starts = [...extents]
      .filter(([, { end }]) => end > 0)
      .map(([partition, { end }]) => ({ partition, until: end, ...startOf(partition) }));
    const deps = { pool: cluster.pool, topicId: facts.id, mark: markOf(facts), waitMs: 0 };
    return new PartitionReader(cluster, deps, starts);
  };
  const append = async (events: readonly NewEvent[]) => {
    for (let from = 0; from < events.length; from += 250) {
      await topic.log.append([{ events: events.slice(from, from + 250), atomic: false }]);
    }
  };

  it('holds little at a time of what is compressed hundreds of times, among what is not, and gives all of it in order', async () => {
    const large = () => anEvent({ metadata: JSON.stringify({ note: 'x'.repeat(15_000) }) });
    const random = () =>
      anEvent({ metadata: JSON.stringify({ note: randomBytes(2_000).toString('base64') }) });
    const blocks = [large, random, large, random, large];
    const events = blocks.flatMap((make) => Array.from({ length: 500 }, make));
    await append(events);
    const reader = await opened(() => ({ next: 0, after: undefined }));
    const ids: string[] = [];
    while (!reader.isDone) {
      const { entries } = await reader.next();
      ids.push(...entries.map(({ event }) => event.id));
      const held = entries.reduce((sum, { event }) => sum + eventCharacters(event), 0);
      expect(held).toBeLessThanOrEqual(limits.kafkaTakenBytes + limits.kafkaBatchBytes);
    }
    expect(ids).toEqual(events.map(({ id }) => id));
  });

  it('says that a position is gone also where nothing comes after it', async () => {
    await append(Array.from({ length: 60 }, (_, index) => anEvent({ userId: `user ${index}` })));
    const whole = await opened(() => ({ next: 0, after: undefined }));
    const ends = new Map<number, number>();
    while (!whole.isDone) {
      for (const { shard } of (await whole.next()).entries) {
        ends.set(Number(shard), (ends.get(Number(shard)) ?? 0) + 1);
      }
    }
    const reader = await opened((partition) => {
      const offset = (ends.get(partition) ?? 0) - 1;
      return { next: offset + 1, after: { partition, offset, fingerprint: '01234567' } };
    });
    const rest = (async () => {
      while (!reader.isDone) await reader.next();
    })();
    await expect(rest).rejects.toMatchObject({ code: 'position_gone' });
  });
});
