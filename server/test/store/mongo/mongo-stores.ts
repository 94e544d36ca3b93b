import type { Event } from '../../../src/event/event.ts';
import type { LogEntry, Position } from '../../../src/log/event-log.ts';
import type { EventStore } from '../../../src/store/event-store.ts';
import { openMongoStore } from '../../../src/store/mongo/mongo-store.ts';

/** Opens a store, gives it to the test, and closes it whatever happens. */
export async function withStore<T>(
  url: string,
  use: (store: EventStore) => Promise<T>,
  { exclusive = true }: { exclusive?: boolean } = {},
): Promise<T> {
  const store = await openMongoStore(url, { exclusive });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** Entries of one shard of a log whose next entry is the `first`. */
export function logEntries(events: readonly Event[], first = 1, shard = '0'): readonly LogEntry[] {
  return events.map((event, index) => ({
    shard,
    position: String(first + index).padStart(16, '0') as Position,
    event,
  }));
}
