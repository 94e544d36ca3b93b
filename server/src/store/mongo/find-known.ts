import type { Position } from '../../log/event-log.ts';
import type { KnownEvent } from '../event-store.ts';
import type { Collections, EventDocument, RemovedDocument } from './collections.ts';
import { removedEvent, storedEvent } from './event-documents.ts';

/**
 * What is known under these ids, events and what stays of removed ones, in one
 * round trip: senders wait for it. Events first, so that one which is removed
 * meanwhile is seen in the one collection or in the other.
 */
export async function findKnown(
  { events, removedEvents }: Collections,
  ids: readonly string[],
): Promise<ReadonlyMap<string, KnownEvent>> {
  const $match = { _id: { $in: [...ids] } };
  const coll = removedEvents.collectionName;
  const documents = await events
    .aggregate<EventDocument | RemovedDocument>([
      { $match },
      { $unionWith: { coll, pipeline: [{ $match }] } },
    ])
    .toArray();
  return new Map(documents.map((document) => [document._id, knownEvent(document)]));
}

function knownEvent(document: EventDocument | RemovedDocument): KnownEvent {
  if (!('content_hash' in document)) return storedEvent(document);
  return { event: removedEvent(document), position: document.position as Position };
}
