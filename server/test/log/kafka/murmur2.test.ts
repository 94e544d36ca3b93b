import { murmur2 as driverMurmur2 } from '@platformatic/kafka';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { murmur2 } from '../../../src/log/kafka/murmur2.ts';

it("is the hash of Kafka's own producers", () => {
  // From the tests of Kafka's clients (UtilsTest.testMurmur2).
  const known = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ] as const;
  expect(known.map(([key]) => [key, murmur2(Buffer.from(key))])).toEqual(known);
});

it('is that of the driver, whatever the key', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const key = Buffer.from(bytes);
      expect(murmur2(key)).toBe(driverMurmur2(key));
    }),
  );
});
