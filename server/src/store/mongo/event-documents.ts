import type { Document } from 'mongodb';
import { dateOf } from '../../base/clock.ts';
import { canonicalJson } from '../../base/json.ts';
import type { Event } from '../../event/event.ts';
import type { RemovedEvent } from '../../event/removed-event.ts';
import type { LogEntry, Position, UnreadableEntry } from '../../log/event-log.ts';
import type { Conflict, RemovedRecord, StoredEvent } from '../event-store.ts';
import type {
  ConflictDocument,
  EventDocument,
  EventFields,
  RemovedDocument,
  UnreadableDocument,
} from './collections.ts';
import { fromDecimal128, toDecimal128 } from './decimal128.ts';
import { listKeyOf, type OrderField } from './list-order.ts';

export function toDocument(entry: LogEntry, field: OrderField = 'position'): EventDocument {
  const { event, shard, position } = entry;
  const document: { -readonly [Field in keyof EventDocument]: EventDocument[Field] } = {
    _id: event.id,
    user_id: event.userId,
    event_type: event.eventType,
    amount: toDecimal128(event.amount),
    currency: event.currency,
    timestamp: dateOf(event.timestamp),
    received_at: dateOf(event.receivedAt),
    shard,
    position,
  };
  if (field === 'list_key') document.list_key = listKeyOf(entry, field);
  if (event.metadata === undefined) return document;
  const metadata = toMetadata(event.metadata);
  if (metadata === undefined) document.metadata_json = event.metadata;
  else document.metadata = metadata;
  return document;
}

export function toConflictDocument(entry: LogEntry): ConflictDocument {
  const { _id: event_id, ...fields } = toDocument(entry);
  return { _id: placeId(entry.shard, entry.position), event_id, ...fields };
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
    listKey: document.list_key ?? document.position,
  };
}

export function removedEvent(document: RemovedDocument): RemovedEvent {
  return {
    id: document._id,
    contentHash: document.content_hash,
    timestamp: document.timestamp.getTime(),
    receivedAt: document.received_at.getTime(),
  };
}

export function removedRecord(document: RemovedDocument): RemovedRecord {
  const { shard, position } = document;
  return { ...removedEvent(document), shard, position: position as Position };
}

export function conflictOf(document: ConflictDocument): Conflict {
  return {
    shard: document.shard,
    position: document.position as Position,
    event: eventOf(document.event_id, document),
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

export function unreadableOf({ _id, position, ...entry }: UnreadableDocument): UnreadableEntry {
  return { ...entry, position: position as Position };
}

/** A document that people can query, where it surely gives back the same text; else undefined. */
function toMetadata(text: string): Document | undefined {
  const metadata = JSON.parse(text) as Document;
  return canonicalJson(metadata) === text && comesBack(metadata) ? metadata : undefined;
}

/** Whether BSON keeps the value as it is: a walk is several times cheaper than writing and reading it. */
function comesBack(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return typeof value !== 'undefined';
  if (Array.isArray(value)) return value.every(comesBack);
  for (const key of Object.keys(value)) {
    if (key.startsWith('$') || key.includes('\0') || !key.isWellFormed()) return false;
    if (meaningful.has(key) || key in Object.prototype) return false;
    if (!comesBack((value as Document)[key])) return false;
  }
  return true;
}

/**
 * Keys by which the driver takes an object for something else than it is. Under
 * a name that every object has, such as `constructor`, it gives the bytes of the
 * documents of an array instead of them: seen with 7.9.
 */
const meaningful: ReadonlySet<string> = new Set(['_bsontype', 'toBSON', '__proto__']);
