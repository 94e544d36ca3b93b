import type { ClientSession } from 'mongodb';
import { limits } from '../../base/limits.ts';
import { eventBytes } from '../../event/event-bytes.ts';
import { minuteOf } from '../../event/minute.ts';
import type { Position } from '../../log/event-log.ts';
import type { Removal, RemovalCut } from '../event-store.ts';
import {
  type Collections,
  type EventDocument,
  indexes,
  type RetentionDocument,
} from './collections.ts';
import { storedEvent } from './event-documents.ts';

/** Behind the floor there is nothing to be passed over, where the shard was not read anew. */
export function startOf(
  retention: RetentionDocument | undefined,
  shard: string,
): string | undefined {
  return retention?.reread?.[shard] ? undefined : retention?.floors?.[shard];
}

export function oldestFirst(
  { events }: Collections,
  shard: string,
  after = '',
  reading: { session?: ClientSession } = {},
) {
  return events
    .find({ shard, position: { $gt: after } }, { ...reading, hint: indexes.position })
    .sort({ position: 1 });
}

/** Up to `limit`, fewer when they are long, and one more that is only looked at. */
export async function readOldest(
  collections: Collections,
  shard: string,
  after: string | undefined,
  limit: number,
  reading: { session?: ClientSession } = {},
): Promise<readonly EventDocument[]> {
  const most = Math.min(limit, limits.mongoTransactionEvents);
  const documents: EventDocument[] = [];
  let bytes = 0;
  const cursor = oldestFirst(collections, shard, after, reading);
  for await (const document of cursor.limit(most + 1)) {
    documents.push(document);
    bytes += eventBytes(storedEvent(document).event);
    if (bytes > limits.mongoTransactionBytes && documents.length > 1) break;
  }
  return documents;
}

export type Dated = Pick<EventDocument, 'position' | 'received_at' | 'timestamp'>;

/** Up to the first that must stay, and without the last one that was read: the newest of a shard is never removed. */
export function withinCut<T extends Dated>(
  documents: readonly T[],
  { receivedBefore, upTo }: RemovalCut,
): readonly T[] {
  const others = documents.slice(0, -1);
  const stays = others.findIndex(
    ({ position, received_at }) =>
      received_at.getTime() >= receivedBefore || (upTo !== undefined && position > upTo),
  );
  return stays === -1 ? others : others.slice(0, stays);
}

export function minutesOf(documents: readonly Dated[]): ReadonlySet<number> {
  return new Set(documents.map(({ timestamp }) => minuteOf(timestamp.getTime())));
}

/** `known` is the floor before it, which stays where nothing else of the log that is there now goes. */
export function removalOf(
  shard: string,
  documents: readonly Dated[],
  minutes: number,
  { isOwn }: Pick<RemovalCut, 'isOwn'>,
  known: Position | undefined,
): Removal {
  const [first] = documents;
  const last = documents.at(-1);
  if (first === undefined || last === undefined) throw new Error('nothing is to be removed');
  const lastOwn = isOwn && documents.findLast(({ position }) => isOwn(position as Position));
  const ownKnown = known !== undefined && isOwn?.(known) ? known : undefined;
  return {
    shard,
    events: documents.length,
    oldest: first.received_at.getTime(),
    newest: last.received_at.getTime(),
    floor: (lastOwn?.position ?? ownKnown ?? last.position) as Position,
    minutes,
  };
}
