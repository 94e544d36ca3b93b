import { BSON, type Document } from 'mongodb';
import { dateOf } from '../../base/clock.ts';
import { canonicalJson } from '../../base/json.ts';
import type { Event } from '../../event/event.ts';
import type { LogEntry, Position } from '../../log/event-log.ts';
import type { Conflict, StoredEvent } from '../event-store.ts';
import type { ConflictDocument, EventDocument, EventFields } from './collections.ts';
import { fromDecimal128, toDecimal128 } from './decimal128.ts';

export function toDocument(entry: LogEntry): EventDocument {
  return { _id: entry.event.id, ...fieldsOf(entry) };
}

export function toConflictDocument(entry: LogEntry): ConflictDocument {
  const _id = placeId(entry.shard, entry.position);
  return { _id, event_id: entry.event.id, ...fieldsOf(entry) };
}

/** The `_id` of what is kept about one entry of the log. */
export function placeId(shard: string, position: Position): string {
  return `${shard}|${position}`;
}

export function entryOf(document: EventDocument): LogEntry {
  return {
    shard: document.shard,
    position: document.position as Position,
    event: eventOf(document._id, document),
  };
}

export function storedEvent(document: EventDocument): StoredEvent {
  return {
    event: eventOf(document._id, document),
    position: document.position as Position,
    listKey: document.position,
  };
}

export function conflictOf(document: ConflictDocument): Conflict {
  return {
    shard: document.shard,
    position: document.position as Position,
    event: eventOf(document.event_id, document),
  };
}

function fieldsOf({ event, shard, position }: LogEntry): EventFields {
  return {
    user_id: event.userId,
    event_type: event.eventType,
    amount: toDecimal128(event.amount),
    currency: event.currency,
    timestamp: dateOf(event.timestamp),
    received_at: dateOf(event.receivedAt),
    ...metadataFields(event.metadata),
    shard,
    position,
  };
}

function eventOf(id: string, fields: EventFields): Event {
  return {
    id,
    userId: fields.user_id,
    eventType: fields.event_type,
    amount: fromDecimal128(fields.amount),
    currency: fields.currency,
    timestamp: fields.timestamp.getTime(),
    receivedAt: fields.received_at.getTime(),
    metadata: fields.metadata === undefined ? fields.metadata_json : canonicalJson(fields.metadata),
  };
}

/** A document that people can query, once it is proven to give back the same text; else the text. */
function metadataFields(text: string | undefined): Pick<EventFields, 'metadata' | 'metadata_json'> {
  if (text === undefined) return {};
  const metadata = JSON.parse(text) as Document;
  return comesBack(metadata, text) ? { metadata } : { metadata_json: text };
}

function comesBack(metadata: Document, text: string): boolean {
  try {
    const { read } = BSON.deserialize(BSON.serialize({ read: metadata })) as { read: Document };
    return canonicalJson(read) === text;
  } catch {
    return false;
  }
}
