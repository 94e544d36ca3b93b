import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MessagePackArray } from '../../../src/log/redis/message-pack.ts';
import { sharedRedis } from '../../support/engines/shared-engines.ts';
import { describeWithEngines } from '../../support/needed-program.ts';
import { command } from '../../support/redis-harness.ts';

describeWithEngines('a MessagePack array', ['redis'], () => {
  it('is taken apart by Redis into what was put in', async () => {
    const url = await sharedRedis();
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.nat({ max: 21_000 }).map((length) => '€'.repeat(length)),
    );
    const item = fc.oneof(text, fc.nat({ max: 0xffff }), fc.boolean());
    const script = 'return cjson.encode(cmsgpack.unpack(ARGV[1]))';
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { minLength: 1, maxLength: 300 }),
        fc.nat(50),
        async (items, bytes) => {
          const said = await command(url, 'EVAL', script, '0', packed(items, bytes));
          expect(JSON.parse(String(said))).toEqual(items);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('takes no text that is longer than its form holds', () => {
    expect(() => packed(['x'.repeat(0x1_0000)], 0)).toThrow('longer than 65,535 bytes');
  });
});

function packed(items: readonly (string | number | boolean)[], bytes: number): Buffer {
  const array = new MessagePackArray(bytes);
  for (const item of items) {
    if (typeof item === 'string') array.addText(item);
    else if (typeof item === 'number') array.addNumber(item);
    else array.addBoolean(item);
  }
  return array.finish();
}
