import { MongoClient } from 'mongodb';
import type { Position } from '../../server/src/log/event-log.ts';
import { collectionsOf, createIndexes } from '../../server/src/store/mongo/collections.ts';
import { toDocument } from '../../server/src/store/mongo/event-documents.ts';
import { madeEvents } from '../load/fill.ts';

/**
 * The bare limit of the archive: a loop of transactions that insert the same
 * documents into a collection with the same indexes. `{ url, events,
 * batchEvents }` in, `{ perSecond }` out.
 */
process.on('message', async (message) => {
  const { url, events, batchEvents } = message as {
    readonly url: string;
    readonly events: number;
    readonly batchEvents: number;
  };
  const next = madeEvents();
  const documents = Array.from({ length: events }, (_, index) => {
    const position = `0000000000000001-${String(index).padStart(10, '0')}-1234abcd-1234abcd`;
    return toDocument({ shard: '0', position: position as Position, event: next() });
  });
  const client = await MongoClient.connect(url);
  const collections = collectionsOf(client.db());
  await createIndexes(collections);
  const startedMs = performance.now();
  for (let start = 0; start < documents.length; start += batchEvents) {
    await client.withSession((session) =>
      session.withTransaction(() =>
        collections.events.insertMany(documents.slice(start, start + batchEvents), { session }),
      ),
    );
  }
  const perSecond = events / ((performance.now() - startedMs) / 1_000);
  await client.close();
  process.send?.({ perSecond });
});
process.send?.({});
process.on('SIGTERM', () => process.exit(0));
