import type { Removal, RemovalCut } from '../event-store.ts';
import type { Collections } from './collections.ts';
import { wholeOf } from './frozen.ts';
import {
  type Dated,
  minutesOf,
  oldestFirst,
  removalOf,
  startOf,
  withinCut,
} from './oldest-events.ts';
import { readRetention } from './retention-document.ts';

const pageEvents = 10_000;

/** See `EventStore.previewRemoval`; in pages, as MongoDB is not waited for as long as all of it may take. */
export async function previewRemoval(
  collections: Collections,
  shard: string,
  cut: RemovalCut,
): Promise<Removal | undefined> {
  const minutes = new Set<number>();
  let removal: Removal | undefined;
  const retention = await readRetention(collections);
  let floor = retention?.floors?.[shard];
  let after = startOf(retention, shard);
  for (;;) {
    const page = withinCut(await readPage(collections, shard, after), cut);
    after = page.at(-1)?.position;
    if (page.length > 0) {
      const whole = await wholeOf(collections, minutesOf(page));
      for (const minute of whole) minutes.add(minute);
      const part = removalOf(shard, page, minutes.size, cut, floor);
      const { oldest, events } = removal ?? { oldest: part.oldest, events: 0 };
      removal = { ...part, oldest, events: events + part.events };
      floor = part.floor;
    }
    if (page.length < pageEvents) return removal;
  }
}

async function readPage(
  collections: Collections,
  shard: string,
  after: string | undefined,
): Promise<readonly Dated[]> {
  return await oldestFirst(collections, shard, after)
    .limit(pageEvents + 1)
    .project<Dated>({ position: 1, received_at: 1, timestamp: 1 })
    .toArray();
}
