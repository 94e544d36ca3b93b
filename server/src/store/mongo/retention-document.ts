import type { ClientSession, UpdateFilter } from 'mongodb';
import type { Position } from '../../log/event-log.ts';
import type { IsOwn, Retained } from '../event-store.ts';
import type { Collections, RetentionDocument } from './collections.ts';
import type { Reading } from './frozen.ts';

/** In the collection `hub`. */
const _id = 'retention';

export async function readRetention(
  { retention }: Collections,
  reading: Partial<Reading> = {},
): Promise<RetentionDocument | undefined> {
  return (await retention.findOne({ _id }, reading)) ?? undefined;
}

export async function readRetained(collections: Collections): Promise<Retained> {
  const { floors, removed_events, frozen_minutes } = (await readRetention(collections)) ?? {};
  return {
    floors: new Map(Object.entries(floors ?? {})),
    removedEvents: removed_events ?? 0,
    frozenMinutes: frozen_minutes ?? 0,
  };
}

/** The place of the newest event of the shard that was removed. */
export async function floorOf(
  collections: Collections,
  shard: string,
  reading: Partial<Reading> = {},
): Promise<Position | undefined> {
  return (await readRetention(collections, reading))?.floors?.[shard];
}

export interface Removed {
  readonly floor: Position;
  readonly events: number;
  readonly minutes: number;
  readonly isOwn: IsOwn | undefined;
}

/** The first step of a transaction that removes: of two at once, one begins again. Answers what was there before. */
export async function takeTurn(
  { retention }: Collections,
  session: ClientSession,
): Promise<RetentionDocument | undefined> {
  const before = await retention.findOneAndUpdate(
    { _id },
    { $inc: { transactions: 1 } },
    { session, upsert: true, returnDocument: 'before' },
  );
  return before ?? undefined;
}

/** From where this transaction found it. */
export async function moveFloor(
  { retention }: Collections,
  shard: string,
  before: RetentionDocument | undefined,
  { floor, events, minutes, isOwn }: Removed,
  session: ClientSession,
): Promise<void> {
  const known = before?.floors?.[shard];
  const $inc = { removed_events: events, frozen_minutes: minutes };
  const update: UpdateFilter<RetentionDocument> =
    known !== undefined && !isBehind(floor, known, isOwn)
      ? { $inc }
      : { $set: { [`floors.${shard}`]: floor }, $unset: { [`reread.${shard}`]: '' }, $inc };
  const place = { [`floors.${shard}`]: known ?? { $exists: false } };
  const moved = await retention.updateOne({ _id, ...place }, update, { session });
  if (moved.matchedCount !== 1) throw new Error(`the floor of shard ${shard} moved in a snapshot`);
}

/**
 * Never back: of a log that is read anew an event may come that lies before the floor. That
 * of a log that this one took the place of says nothing here, and gives way to one of its own.
 */
function isBehind(floor: Position, known: Position, isOwn: IsOwn = () => true): boolean {
  return isOwn(floor) === isOwn(known) ? floor > known : isOwn(floor);
}

/** Minutes more, frozen by what another hub removed; after `takeTurn`. */
export async function noteFrozen(
  { retention }: Collections,
  minutes: number,
  session: ClientSession,
): Promise<void> {
  await retention.updateOne({ _id }, { $inc: { frozen_minutes: minutes } }, { session });
}

/** The shard is to be read anew. */
export async function noteReread({ retention }: Collections, shard: string): Promise<void> {
  await retention.updateOne(
    { _id, [`floors.${shard}`]: { $exists: true } },
    { $set: { [`reread.${shard}`]: true } },
  );
}
