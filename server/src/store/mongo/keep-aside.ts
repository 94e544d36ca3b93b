import type { ClientSession } from 'mongodb';
import type { UnreadableEntry } from '../../log/event-log.ts';
import type { Conflict } from '../event-store.ts';
import type { Collections } from './collections.ts';
import { placeId, toConflictDocument } from './event-documents.ts';

/** What came with a known id and other content. Each is kept once, also by a reader that begins anew. */
export async function keepConflicts(
  { conflicts }: Collections,
  found: readonly Conflict[],
  session: ClientSession,
): Promise<void> {
  if (found.length === 0) return;
  const operations = found.map(toConflictDocument).map(({ _id, ...fields }) => ({
    updateOne: { filter: { _id }, update: { $setOnInsert: fields }, upsert: true },
  }));
  await conflicts.bulkWrite(operations, { session, ordered: false });
}

/** What could not be read. */
export async function keepUnreadable(
  { unreadable }: Collections,
  found: readonly UnreadableEntry[],
  session: ClientSession,
): Promise<void> {
  if (found.length === 0) return;
  const operations = found.map(({ shard, position, reason, raw }) => ({
    updateOne: {
      filter: { _id: placeId(shard, position) },
      update: { $setOnInsert: { shard, position, reason, raw } },
      upsert: true,
    },
  }));
  await unreadable.bulkWrite(operations, { session, ordered: false });
}
