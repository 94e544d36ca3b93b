import { positionGone } from '../../event/position-faults.ts';
import type { LogEntry, Places, Position } from '../../log/event-log.ts';
import { indexes } from './collections.ts';
import { entriesBehind } from './find-events.ts';
import type { MongoConnection } from './mongo-connection.ts';

/** See `EventStore.entriesAfter`. */
export async function readOn(
  connection: MongoConnection,
  shard: string,
  after: Position | 'start',
  limit: number,
): Promise<readonly LogEntry[]> {
  if (after !== 'start') await assertKnown(connection, shard, after);
  const from = after === 'start' ? undefined : after;
  return await connection.use((collections) => entriesBehind(collections, shard, from, limit));
}

/**
 * Of a log that knows ids itself every place is an event's. Beside another it may be that
 * of a repeat, which is not stored; such a log tells the places of others by itself.
 */
export async function assertReached(connection: MongoConnection, places: Places): Promise<void> {
  if (connection.collections.order.field !== 'position') return;
  const [place, ...others] = places;
  if (place !== undefined && others.length === 0) await assertStored(connection, ...place);
}

/**
 * Beside a log that does not know ids a place may be that of a repeat, which is
 * not stored: there it is enough that the store has passed it.
 */
async function assertKnown(
  connection: MongoConnection,
  shard: string,
  position: Position,
): Promise<void> {
  if (connection.collections.order.field === 'position') {
    await assertStored(connection, shard, position);
    return;
  }
  const reached = await connection.use(({ positions }) => positions.findOne({ _id: shard }));
  if ((reached?.position ?? '') >= position) return;
  throw positionGone('the store has not come to this position');
}

async function assertStored(
  connection: MongoConnection,
  shard: string,
  position: Position,
): Promise<void> {
  const isStored = await connection.use(async ({ events }) => {
    const found = await events.findOne(
      { shard, position },
      { projection: { _id: 1 }, hint: indexes.position },
    );
    return found !== null;
  });
  if (isStored) return;
  throw positionGone('the store does not hold the entry of this position');
}
