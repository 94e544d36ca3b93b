import { murmur2 } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Places, Position } from '../../../src/log/event-log.ts';
import {
  formatPosition,
  isKafkaPosition,
  isOfEntry,
  type KafkaPlace,
  parsePosition,
  positionOfReader,
  shardOf,
  type TopicMark,
  unseen,
} from '../../../src/log/kafka/kafka-position.ts';
import { placesIn } from '../../../src/log/kafka/log-places.ts';
import { partitionOf } from '../../../src/log/kafka/record-writer.ts';

const hex = fc.stringMatching(/^[0-9a-f]{8}$/);
const mark: fc.Arbitrary<TopicMark> = fc.record({
  topicId: hex,
  partitions: fc.integer({ min: 1, max: 9_999 }),
});
const place: fc.Arbitrary<KafkaPlace> = fc.record({
  partition: fc.integer({ min: 0, max: 9_999 }),
  offset: fc.maxSafeNat(),
  fingerprint: fc.oneof(hex, fc.constant(unseen)),
});
/** Of several partitions, in any order. */
const reader = fc.uniqueArray(place, { minLength: 1, selector: ({ partition }) => partition });

function placesOf(places: readonly KafkaPlace[], of: TopicMark): Places {
  return new Map(places.map((each) => [shardOf(each.partition), formatPosition(each, of)]));
}

describe('a position in Kafka', () => {
  it('of an entry holds its place and its topic', () => {
    fc.assert(
      fc.property(place, mark, (own, of) => {
        const position = formatPosition(own, of);
        expect(parsePosition(position)).toEqual({ mark: of, places: [own] });
        expect(placesIn(position, of)).toEqual(placesOf([own], of));
        expect(isKafkaPosition(position)).toBe(true);
        expect(isOfEntry(position)).toBe(true);
      }),
    );
  });

  it('of an entry sorts bytewise within its partition', () => {
    fc.assert(
      fc.property(place, mark, fc.maxSafeNat(), hex, (own, of, offset, fingerprint) => {
        const other = { ...own, offset, fingerprint };
        const [a, b] = [formatPosition(own, of), formatPosition(other, of)];
        const bytes = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
        if (own.offset !== offset) expect(bytes).toBe(Math.sign(own.offset - offset));
      }),
    );
  });

  it('of a reader holds the place in every partition, whatever their order was', () => {
    fc.assert(
      fc.property(reader, mark, (places, of) => {
        const position = positionOfReader(placesOf(places, of)) as Position;
        expect(placesIn(position, of)).toEqual(placesOf(places, of));
        expect(positionOfReader(placesIn(position, of))).toBe(position);
        expect(positionOfReader(placesOf(places.toReversed(), of))).toBe(position);
        expect(isKafkaPosition(position)).toBe(true);
        expect(isOfEntry(position)).toBe(false);
        expect(position).toMatch(/^[A-Za-z0-9._~:-]+$/);
      }),
    );
  });

  it('of a reader that is nowhere is none', () => {
    expect(positionOfReader(new Map())).toBeUndefined();
  });

  it('of another topic, or of the same with other partitions, is gone', () => {
    fc.assert(
      fc.property(reader, mark, mark, (places, of, now) => {
        fc.pre(of.topicId !== now.topicId || of.partitions !== now.partitions);
        const first = places[0] as KafkaPlace;
        for (const position of [
          formatPosition(first, of),
          positionOfReader(placesOf(places, of)) as Position,
        ]) {
          expect(() => placesIn(position, now)).toThrowError(
            expect.objectContaining({ code: 'position_gone' }),
          );
        }
      }),
    );
  });

  it('is not what only looks like one', () => {
    const refused = (text: string) => {
      expect(isKafkaPosition(text)).toBe(false);
      expect(() => parsePosition(text)).toThrowError(expect.objectContaining({ code: 'invalid' }));
    };
    const entry = formatPosition(
      { partition: 3, offset: 17, fingerprint: 'deadbeef' },
      { topicId: 'abcdef01', partitions: 6 },
    );
    const vector = positionOfReader(new Map([['3', entry]])) as string;
    expect(vector).toBe('v-abcdef01-0006-3.h.deadbeef');
    for (const text of ['', 'start', 'end', 'v', 'v-', '17', '1-17', '0000000000000017'])
      refused(text);
    for (const text of [entry, vector]) {
      refused(` ${text}`);
      refused(`${text}\n`);
      refused(`${text}-`);
      refused(text.toUpperCase());
    }
    refused('v-abcdef01-0006');
    refused('v-abcdef01-0006-3.h.deadbee');
    refused('v-abcdef01-0006-3.h.deadbeef--3.h.deadbeef');
    fc.assert(fc.property(fc.string(), (text) => refused(text)));
    // A character less, or another one of those that positions have no use for.
    const cut = fc.integer({ min: 0, max: entry.length - 1 });
    fc.assert(fc.property(cut, (at) => refused(entry.slice(0, at) + entry.slice(at + 1))));
    fc.assert(fc.property(cut, (at) => refused(`${entry.slice(0, at)}z${entry.slice(at + 1)}`)));
  });

  it('is not a place that no partition can have', () => {
    const tooFar = 'v-abcdef01-0006-3.zzzzzzzzzzz.deadbeef';
    expect(() => parsePosition(tooFar)).toThrowError(expect.objectContaining({ code: 'invalid' }));
  });
});

describe('the partition of a user', () => {
  // Of Kafka's own UtilsTest.
  it.each([
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ])("of %s is that of Kafka's own producers", (userId, hash) => {
    expect(murmur2(Buffer.from(userId))).toBe(hash);
    for (const partitions of [1, 2, 6, 12, 30, 1_000]) {
      expect(partitionOf(userId, partitions)).toBe((hash & 0x7fffffff) % partitions);
    }
  });

  it('is one that there is, and always the same', () => {
    const user = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 256 });
    fc.assert(
      fc.property(user, fc.integer({ min: 1, max: 1_000 }), (userId, partitions) => {
        const partition = partitionOf(userId, partitions);
        expect(partition).toBeGreaterThanOrEqual(0);
        expect(partition).toBeLessThan(partitions);
        expect(partitionOf(userId, partitions)).toBe(partition);
      }),
    );
  });

  it('has each about as many users as the others', () => {
    const counts = new Array<number>(6).fill(0);
    for (let user = 0; user < 6_000; user += 1) {
      const partition = partitionOf(`user-${user}`, counts.length);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});
