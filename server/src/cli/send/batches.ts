import { yieldTurn } from '../../base/clock.ts';

export interface BatchOptions<Item> {
  readonly itemsMax: number;
  readonly bytesMax: number;
  readonly bytesOf: (item: Item) => number;
}

/**
 * Groups what is there without waiting for more: a slow pipe gives small
 * batches at once, a fast one full ones. One item is read ahead while a batch is sent.
 */
export async function* batches<Item>(
  items: AsyncIterable<Item>,
  { itemsMax, bytesMax, bytesOf }: BatchOptions<Item>,
): AsyncGenerator<readonly Item[]> {
  const iterator = items[Symbol.asyncIterator]();
  let next = iterator.next();
  // A failure is rethrown where the item is awaited; until then it is nobody's.
  next.catch(() => undefined);
  for (let first = await next; !first.done; first = await next) {
    const batch = [first.value];
    let bytes = bytesOf(first.value);
    next = iterator.next();
    next.catch(() => undefined);
    while (batch.length < itemsMax && bytes < bytesMax) {
      const ready = await Promise.race([next, nothingReady()]);
      if (ready === undefined || ready.done) break;
      batch.push(ready.value);
      bytes += bytesOf(ready.value);
      next = iterator.next();
      next.catch(() => undefined);
    }
    yield batch;
  }
}

async function nothingReady(): Promise<undefined> {
  await yieldTurn();
  return undefined;
}
