import { positionGone, positionRemoved } from '../../event/position-faults.ts';
import type { LogEntry, Places, Position } from '../../log/event-log.ts';
import type { IsOwn } from '../event-store.ts';
import { type Collections, indexes } from './collections.ts';
import { entriesBehind } from './find-events.ts';
import type { Reading } from './frozen.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { floorOf } from './retention-document.ts';
import { inSnapshot, readSnapshot } from './transactions.ts';

/** See `EventStore.entriesAfter`: in one snapshot, so that nothing is removed between the look and the read. */
export async function readOn(
  connection: MongoConnection,
  shard: string,
  after: Position | 'start',
  limit: number,
  isOwn: IsOwn = () => true,
): Promise<readonly LogEntry[]> {
  return await connection.use((collections) =>
    readSnapshot(connection, async (session) => {
      const reading = { session, readConcern: inSnapshot };
      const read = { collections, shard, isOwn, reading };
      if (after === 'start') return await ownBehind(read, undefined, limit);
      await assertKnown(read, after);
      return await ownBehind(read, after, limit);
    }),
  );
}

/** One read of a shard. */
interface Read {
  readonly collections: Collections;
  readonly shard: string;
  readonly isOwn: IsOwn;
  readonly reading: Reading;
}

/** Passes over what is of another log. Behind the last of this one there may be more of that than can be looked through. */
async function ownBehind(
  { collections, shard, isOwn, reading }: Read,
  after: Position | undefined,
  limit: number,
): Promise<readonly LogEntry[]> {
  let from = after;
  for (;;) {
    const page = await entriesBehind(collections, shard, from, limit, reading);
    const own = page.filter(({ position }) => isOwn(position));
    const last = page.at(-1);
    if (own.length > 0 || last === undefined) return own;
    const reached = await collections.positions.findOne({ _id: shard }, reading);
    if (last.position > (reached?.position ?? '')) return own;
    from = last.position;
  }
}

/**
 * Of a log that knows ids itself a single place is an event's, which the store
 * holds or has removed. Beside another it may be that of a repeat, which is not
 * stored; such a log tells the places of others by itself.
 */
export async function assertReached(connection: MongoConnection, places: Places): Promise<void> {
  if (connection.collections.order.field !== 'position') return;
  const [place, ...others] = places;
  if (place === undefined || others.length > 0) return;
  const [shard, position] = place;
  await connection.use(async (collections) => {
    if (await isStored(collections, shard, position)) return;
    // Looked at second: what was there at no time is not removed meanwhile.
    const floor = await floorOf(collections, shard);
    if (floor === undefined || position > floor) throw notStored();
  });
}

/**
 * Beside a log that does not know ids a place may be that of a repeat, which is
 * not stored: there it is enough that the store has passed it.
 */
async function assertKnown(
  { collections, shard, isOwn, reading }: Read,
  position: Position,
): Promise<void> {
  const kept = await floorOf(collections, shard, reading);
  const floor = kept !== undefined && isOwn(kept) ? kept : undefined;
  if (floor !== undefined && position < floor) throw positionRemoved(floor);
  if (position === floor) return;
  if (collections.order.field === 'position') {
    if (!(await isStored(collections, shard, position, reading))) throw notStored();
    return;
  }
  const reached = await collections.positions.findOne({ _id: shard }, reading);
  if ((reached?.position ?? '') < position) {
    throw positionGone('the store has not come to this position');
  }
}

async function isStored(
  { events }: Collections,
  shard: string,
  position: Position,
  reading: Partial<Reading> = {},
): Promise<boolean> {
  const found = await events.findOne(
    { shard, position },
    { ...reading, projection: { _id: 1 }, hint: indexes.position },
  );
  return found !== null;
}

function notStored() {
  return positionGone('the store does not hold the entry of this position');
}
