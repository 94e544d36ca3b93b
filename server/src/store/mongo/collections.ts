import type { Binary, Collection, Db, Decimal128, Document } from 'mongodb';

import type { Position } from '../../log/event-log.ts';
import type { ListOrder, OrderField } from './list-order.ts';

/** What the hub keeps in its database. `hub` is dropped last: it holds the mark. */
export const collectionNames = [
  'events',
  'removed_events',
  'minute_metrics',
  'frozen_minutes',
  'counted_minutes',
  'positions',
  'leases',
  'conflicts',
  'unreadable_entries',
  'api_keys',
  'hub',
] as const;

export interface EventFields {
  readonly user_id: string;
  readonly event_type: string;
  readonly amount: Decimal128;
  readonly currency: string;
  readonly timestamp: Date;
  readonly received_at: Date;
  /** As a document where that gives back the very same JSON. */
  readonly metadata?: Document;
  readonly metadata_json?: string;
  readonly shard: string;
  readonly position: string;
  /** Only where events are listed by it: see `OrderField`. */
  readonly list_key?: string;
}

export interface EventDocument extends EventFields {
  /** The event's id. */
  readonly _id: string;
}

/** See `RemovedEvent`. */
export interface RemovedDocument {
  /** The event's id. */
  readonly _id: string;
  readonly content_hash: string;
  readonly timestamp: Date;
  readonly received_at: Date;
  readonly shard: string;
  readonly position: string;
  /** Of another hub, which removed it: it never was an event here, and its place is one there. */
  readonly kept?: boolean;
}

/** A minute that lost an event, in whatever shard. */
export interface FrozenMinuteDocument {
  readonly _id: Date;
}

/** Each shard has its own, so that shards never contend; summed on read. */
export interface MinuteDocument {
  /** `SHARD|MINUTE|TYPE|CURRENCY` */
  readonly _id: string;
  readonly shard: string;
  readonly minute: Date;
  readonly event_type: string;
  readonly currency: string;
  readonly event_count: number;
  readonly total: Decimal128;
  /** The part of the list order in which the minute's events lie. */
  readonly first_position: string;
  readonly last_position: string;
}

/** What was counted in a minute of the hub's own time. */
export interface CountedMinuteDocument
  extends Omit<MinuteDocument, 'first_position' | 'last_position'> {
  readonly late_count: number;
}

export interface PositionDocument {
  /** The shard. */
  readonly _id: string;
  readonly position: string;
  /** The newest event counted, which a duplicate is not. */
  readonly counted_position?: string;
  readonly counted_at?: Date;
  /** Raised by each transaction that records, or rebuilds, as its first step: of two at once, one begins again. */
  readonly transactions?: number;
  /** What hubs before version 2 raise in its place: texts once an event was removed, so that they cannot. */
  readonly records?: number | string;
  readonly rebuilds?: number | string;
}

export interface LeaseDocument {
  /** Its name. */
  readonly _id: string;
  readonly holder: string;
  readonly epoch: number;
  readonly expires_at: Date;
  /** Of the database, as its holder knows it; absent with hubs before version 2. */
  readonly schema_version?: number;
  /** The session of the holder's transactions: who takes over ends what it left open. Absent once given back. */
  readonly session?: Binary;
  /** Made under it: each writes here, so that it and a takeover cannot both succeed. */
  readonly transactions?: number;
}

export interface ConflictDocument extends EventFields {
  /** `SHARD|POSITION` */
  readonly _id: string;
  readonly event_id: string;
}

export interface UnreadableDocument {
  /** `SHARD|POSITION` */
  readonly _id: string;
  readonly shard: string;
  readonly position: string;
  readonly reason: string;
  readonly raw: string;
}

/** See `StoredKey`. */
export interface ApiKeyDocument {
  /** The key's public part. */
  readonly _id: string;
  readonly name: string;
  readonly hash: string;
  readonly scopes: readonly string[];
  readonly event_types?: readonly string[];
  readonly created_at: Date;
  readonly expires_at?: Date;
  readonly revoked_at?: Date;
  readonly last_used_at?: Date;
}

/**
 * `mark`: the database is the hub's. `agreement`: see `Agreement`. `access`: a key was made, see
 * `Access`. `retention`: see `RetentionDocument`.
 */
export interface HubDocument {
  readonly _id: 'mark' | 'agreement' | 'access' | 'retention';
  readonly [field: string]: unknown;
}

/**
 * How far retention has come, in all shards. Not in their positions, which the
 * archive writes in each of its transactions: so the two never wait for each other.
 */
export interface RetentionDocument {
  readonly _id: 'retention';
  /** By shard. */
  readonly floors?: Readonly<Record<string, Position>>;
  /** Shards that were read anew since, from a log that may have other positions: events may lie before the floor. */
  readonly reread?: Readonly<Record<string, true>>;
  readonly removed_events?: number;
  readonly frozen_minutes?: number;
  /** Raised by each transaction that removes: of two at once, one begins again. */
  readonly transactions?: number;
}

export interface Collections {
  readonly events: Collection<EventDocument>;
  readonly removedEvents: Collection<RemovedDocument>;
  readonly minutes: Collection<MinuteDocument>;
  readonly frozenMinutes: Collection<FrozenMinuteDocument>;
  readonly countedMinutes: Collection<CountedMinuteDocument>;
  readonly positions: Collection<PositionDocument>;
  readonly leases: Collection<LeaseDocument>;
  readonly conflicts: Collection<ConflictDocument>;
  readonly unreadable: Collection<UnreadableDocument>;
  readonly apiKeys: Collection<ApiKeyDocument>;
  readonly hub: Collection<HubDocument>;
  readonly retention: Collection<RetentionDocument>;
  readonly order: ListOrder;
}

export function collectionsOf(database: Db): Collections {
  return {
    events: database.collection('events'),
    removedEvents: database.collection('removed_events'),
    minutes: database.collection('minute_metrics'),
    frozenMinutes: database.collection('frozen_minutes'),
    countedMinutes: database.collection('counted_minutes'),
    positions: database.collection('positions'),
    leases: database.collection('leases'),
    conflicts: database.collection('conflicts'),
    unreadable: database.collection('unreadable_entries'),
    apiKeys: database.collection('api_keys'),
    hub: database.collection('hub'),
    retention: database.collection('hub'),
    order: { field: 'position' },
  };
}

/** The index in list order. */
export function listIndex(field: OrderField): string {
  return field === 'position' ? indexes.position : indexes.list;
}

/** Queries name the index they are made for: the cost must not depend on what a planner tries first. */
export const indexes = {
  /** Log order within a shard. */
  position: 'by_position',
  /** List order, where that is another one. */
  list: 'by_list_key',
  /** List order within a user, with the time, so that a window reads no other events. */
  user: 'by_user',
  /** List order within a type. */
  type: 'by_type',
  timestamp: 'by_timestamp',
  minute: 'by_minute',
} as const;

/** Made before the first write; made again without effect at each start. What is read by `_id` alone needs none. */
export async function createIndexes({ events, minutes, countedMinutes, order }: Collections) {
  const { field } = order;
  await events.createIndexes([
    // Positions of several shards have no order among each other.
    ...(field === 'position'
      ? [{ name: indexes.position, key: { position: 1 } as const }]
      : [
          { name: indexes.position, key: { shard: 1, position: 1 } as const },
          { name: indexes.list, key: { [field]: 1 } as const },
        ]),
    { name: indexes.user, key: { user_id: 1, [field]: 1, timestamp: 1 } },
    { name: indexes.type, key: { event_type: 1, [field]: 1 } },
    { name: indexes.timestamp, key: { timestamp: 1 } },
  ]);
  await minutes.createIndex({ minute: 1 }, { name: indexes.minute });
  await countedMinutes.createIndex({ minute: 1 }, { name: indexes.minute });
}
