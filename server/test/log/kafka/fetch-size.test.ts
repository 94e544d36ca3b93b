import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { limits } from '../../../src/base/limits.ts';
import { eventCharacters } from '../../../src/event/event-bytes.ts';
import { FetchSize } from '../../../src/log/kafka/fetch-size.ts';
import { type FetchedPartition, KafkaCluster } from '../../../src/log/kafka/kafka-cluster.ts';
import { markOf } from '../../../src/log/kafka/kafka-position.ts';
import { parseKafkaUrl } from '../../../src/log/kafka/kafka-target.ts';
import { PartitionReader } from '../../../src/log/kafka/partition-reader.ts';
import { anEvent } from '../../support/build-event.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { useKafkaLog } from '../../support/use-kafka-log.ts';

/** One partition's, of records whose bytes were compressed to so many. */
function answerOf(packed: number, records: readonly number[]): FetchedPartition {
  const batch = { length: packed, records: records.map((length) => ({ length })) };
  return { partition: 0, errorCode: 0, end: 0, batches: [batch] } as unknown as FetchedPartition;
}

const records = fc.array(fc.integer({ min: 1, max: limits.kafkaBatchBytes }), { minLength: 1 });

describe('what a reader asks for', () => {
  it('is a batch, as long as it is not known what comes', () => {
    const size = new FetchSize();
    expect(size.bytes).toBe(limits.kafkaFetchBytesMin);
    size.see([]);
    expect(size.bytes).toBe(limits.kafkaFetchBytesMin);
  });

  it('comes to no more than is to be held where the next is compressed alike, and is never less than a batch', () => {
    fc.assert(
      fc.property(records, fc.double({ min: 1, max: 1_000, noNaN: true }), (lengths, ratio) => {
        const plain = lengths.reduce((sum, length) => sum + length, 0);
        const packed = Math.ceil(plain / ratio);
        const size = new FetchSize();
        size.see([answerOf(packed, lengths)]);
        expect(size.bytes).toBeLessThanOrEqual(limits.kafkaFetchBytes);
        expect(size.bytes).toBeGreaterThanOrEqual(limits.kafkaFetchBytesMin);
        if (size.bytes === limits.kafkaFetchBytesMin) return;
        expect((size.bytes * plain) / packed).toBeLessThanOrEqual(limits.kafkaFetchedBytes);
      }),
    );
  });

  it('is all that an answer may have where little repeats itself', () => {
    const size = new FetchSize();
    size.see([answerOf(900_000, [1_000_000])]);
    expect(size.bytes).toBe(limits.kafkaFetchBytes);
  });
});

describeWithEngines('reading what is compressed hundreds of times', ['kafka'], () => {
  const topic = useKafkaLog();

  it('holds little at a time, and gives all of it in order', async () => {
    const events = Array.from({ length: 1_000 }, () =>
      anEvent({ metadata: JSON.stringify({ note: 'x'.repeat(15_000) }) }),
    );
    for (let from = 0; from < events.length; from += 250) {
      await topic.log.append([{ events: events.slice(from, from + 250), atomic: false }]);
    }
    const cluster = new KafkaCluster(parseKafkaUrl(topic.url), systemClock);
    onTestFinished(() => cluster.close());
    const facts = await cluster.knownTopic();
    const extents = await cluster.extents(facts.partitions.map((_, partition) => partition));
    const [partition = 0] = [...extents].find(([, { end }]) => end > 0) ?? [];
    const reader = new PartitionReader(
      cluster,
      { pool: cluster.pool, topicId: facts.id, mark: markOf(facts), waitMs: 0 },
      [{ partition, next: 0, after: undefined, until: events.length }],
    );
    const ids: string[] = [];
    while (!reader.isDone) {
      const { entries } = await reader.next();
      ids.push(...entries.map(({ event }) => event.id));
      const held = entries.reduce((sum, { event }) => sum + eventCharacters(event), 0);
      expect(held).toBeLessThanOrEqual(limits.kafkaFetchedBytes + limits.kafkaBatchBytes);
    }
    expect(ids).toEqual(events.map(({ id }) => id));
  });
});
