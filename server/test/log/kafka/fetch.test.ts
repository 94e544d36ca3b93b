import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchesIn, type FetchedPartition, hasBatch } from '../../../src/log/kafka/fetch.ts';
import { RecordBatchBuilder } from '../../../src/log/kafka/record-batch.ts';

/** One batch for each text, of one record. */
function batchesOf(values: readonly string[]): readonly Buffer[] {
  const builder = new RecordBatchBuilder();
  return values.map((value) => {
    builder.add({ key: 'u1', value, headers: [], timestampMs: 0 });
    return builder.build('zstd').numbered({ producerId: 1n, producerEpoch: 0, sequence: 0 });
  });
}

function partOf(records: Buffer): FetchedPartition {
  return { partition: 3, errorCode: 0, records };
}

function* valuesIn(records: Buffer): Generator<string> {
  for (const batch of batchesIn(partOf(records))) {
    for (const { value } of batch.records) yield String(value);
  }
}

const values = fc.array(
  fc.string({ maxLength: 40 }).map((text) => text.repeat(100)),
  { minLength: 1 },
);

describe('what a broker gave of a partition', () => {
  it('is read batch by batch, to the last one that is whole', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (sent, part) => {
        const batches = batchesOf(sent);
        const bytes = Buffer.concat(batches);
        const cut = Math.floor(bytes.length * part);
        let end = 0;
        const whole = batches.filter((batch) => {
          end += batch.length;
          return end <= cut;
        });
        const read = [...valuesIn(bytes.subarray(0, cut))];
        expect(read).toEqual(sent.slice(0, whole.length));
        expect(hasBatch(partOf(bytes.subarray(0, cut)))).toBe(whole.length > 0);
      }),
    );
  });

  it('is told as unavailable from where it cannot be decompressed, with what came before', () => {
    const [first, second] = batchesOf(['a'.repeat(2_000), 'b'.repeat(2_000)]);
    if (first === undefined || second === undefined) throw new Error('none');
    second.fill(0xff, 61);
    const read = valuesIn(Buffer.concat([first, second]));
    expect(read.next().value).toBe('a'.repeat(2_000));
    expect(() => read.next()).toThrow(
      expect.objectContaining({
        code: 'unavailable',
        message: expect.stringContaining('partition 3 holds what cannot be read'),
      }),
    );
  });
});
