import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubError } from '../../src/base/errors.ts';
import { limits } from '../../src/base/limits.ts';
import { readSse } from '../../src/cli/clients/read-sse.ts';
import { batches } from '../../src/cli/send/batches.ts';
import { readNdjson } from '../../src/cli/send/read-ndjson.ts';

describe('lines of input', () => {
  it('are the same however they are cut into chunks', async () => {
    const text = fc.array(
      fc.string({ unit: 'grapheme' }).map((line) => line.replace(/[\r\n]/g, '')),
    );
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 20 }), async (lines, size) => {
        const bytes = Buffer.from(lines.join('\n'));
        const read = await collect(readNdjson(chunksOf(bytes, size)));
        const expected = lines
          .map((line, index) => ({ line: index + 1, text: line }))
          .filter(({ text: line }) => line.trim() !== '');
        expect(read.filter(({ text: line }) => typeof line === 'string')).toEqual(
          expected.filter(({ text: line }) => !line.startsWith('\u{FEFF}')),
        );
      }),
    );
  });

  it('end with LF or CRLF, and the last one with nothing', async () => {
    const read = await collect(readNdjson(chunksOf(Buffer.from('{"a":1}\r\n\r\n{"b":2}'), 3)));
    expect(read).toEqual([
      { line: 1, text: '{"a":1}' },
      { line: 3, text: '{"b":2}' },
    ]);
  });

  it('are refused alone when they are too long or no UTF-8', async () => {
    const long = Buffer.alloc(limits.singleBodyBytes + 1, 'x');
    const bytes = Buffer.concat([long, Buffer.from([0x0a, 0xff, 0x0a]), Buffer.from('ok')]);
    const read = await collect(readNdjson(chunksOf(bytes, 64 * 1024)));
    expect(
      read.map(({ line, text }) => [line, text instanceof HubError ? text.code : text]),
    ).toEqual([
      [1, 'too_large'],
      [2, 'unreadable'],
      [3, 'ok'],
    ]);
  });
});

describe('server-sent events', () => {
  const text =
    'retry: 3000\n\n:\nid: p0\n\nid: p1\ndata: {"a":1}\n\nevent: caught-up\nid: p1\ndata: {}\n\nid: p2\ndata: line 1\ndata: line 2\n\nid: p3\ndata: cut off';

  it('are the same however they are cut into chunks', async () => {
    for (let size = 1; size <= text.length; size += 1) {
      const frames = (await collect(readSse(textChunksOf(text, size)))).flat();
      expect(frames.filter(({ id, data }) => id !== undefined || data !== undefined)).toEqual([
        { id: 'p0', event: undefined, data: undefined },
        { id: 'p1', event: undefined, data: '{"a":1}' },
        { id: 'p1', event: 'caught-up', data: '{}' },
        { id: 'p2', event: undefined, data: 'line 1\nline 2' },
      ]);
    }
  });
});

describe('batches', () => {
  const options = { itemsMax: 4, bytesMax: 100, bytesOf: (item: number) => item };

  it('hold every item once, in order, within their caps', async () => {
    const numbers = fc.array(fc.integer({ min: 0, max: 150 }));
    await fc.assert(
      fc.asyncProperty(numbers, async (items) => {
        const found = await collect(batches(itemsOf(items), options));
        expect(found.flat()).toEqual(items);
        for (const batch of found) {
          expect(batch.length).toBeLessThanOrEqual(options.itemsMax);
          const allButLast = batch.slice(0, -1).reduce((sum, item) => sum + item, 0);
          expect(allButLast).toBeLessThan(options.bytesMax);
        }
      }),
    );
  });

  it('do not wait for more than is there', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* slow() {
      yield 1;
      await held;
      yield 2;
    }
    const iterator = batches(slow(), options);
    expect((await iterator.next()).value).toEqual([1]);
    release();
    expect((await iterator.next()).value).toEqual([2]);
  });

  it('fail where the input fails, after what came before', async () => {
    async function* broken() {
      yield 1;
      throw new Error('broken input');
    }
    const iterator = batches(broken(), { ...options, itemsMax: 1 });
    expect((await iterator.next()).value).toEqual([1]);
    await expect(iterator.next()).rejects.toThrow('broken input');
  });
});

async function* chunksOf(bytes: Buffer, size: number) {
  for (let start = 0; start < bytes.length; start += size)
    yield bytes.subarray(start, start + size);
}

async function* textChunksOf(text: string, size: number) {
  for (let start = 0; start < text.length; start += size) yield text.slice(start, start + size);
}

async function* itemsOf(items: readonly number[]) {
  yield* items;
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
