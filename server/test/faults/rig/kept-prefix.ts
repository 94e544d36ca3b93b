import type { DatabaseSync } from 'node:sqlite';
import { type ClientSession, type Document, MongoClient } from 'mongodb';
import { logShard } from '../../../src/log/one-shard.ts';
import type { Place } from '../../support/hub-places.ts';
import { openBeside } from '../../support/open-beside.ts';

interface Placed {
  readonly id: string;
  /** As the engine has it. */
  readonly position: string;
}

/** What the store holds of events that are there and of those that were removed, read without the hub. */
export interface KeptPrefix {
  /** Both in the log's order. */
  readonly removed: readonly Placed[];
  readonly left: readonly Placed[];
  /** Of the one shard; undefined before the first removal. */
  readonly floor: string | undefined;
  /** What the store says that it has removed. */
  readonly removedEvents: number;
  /** In milliseconds, ascending. */
  readonly frozenMinutes: readonly number[];
}

/** Each look is of its own and leaves nothing open: what a killed process left is what the next one finds. */
export interface PrefixReader {
  read(): Promise<KeptPrefix>;
  /** Only `removedEvents` of it. */
  removedEvents(): Promise<number>;
  close(): Promise<void>;
}

export function openPrefixReader({ store }: Pick<Place, 'store'>): PrefixReader {
  return store.startsWith('sqlite:') ? ofFile(store.slice('sqlite:'.length)) : ofDatabase(store);
}

function ofFile(file: string): PrefixReader {
  const look = <T>(work: (database: DatabaseSync) => T): T => {
    const database = openBeside(file, { readOnly: true });
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  const floorOf = (database: DatabaseSync) =>
    database.prepare('SELECT position, removed_events FROM floors').get();
  return {
    read: async () =>
      look((database) => {
        const placed = (table: string) =>
          database
            .prepare(`SELECT id, position FROM ${table} ORDER BY position`)
            .all()
            .map(({ id, position }) => ({ id: String(id), position: String(position) }));
        database.exec('BEGIN');
        const floor = floorOf(database);
        const minutes = database.prepare('SELECT minute FROM frozen_minutes ORDER BY minute');
        return {
          removed: placed('removed_events'),
          left: placed('events'),
          floor: floor === undefined ? undefined : String(floor.position),
          removedEvents: Number(floor?.removed_events ?? 0),
          frozenMinutes: minutes.all().map(({ minute }) => Number(minute)),
        };
      }),
    removedEvents: async () => look((database) => Number(floorOf(database)?.removed_events ?? 0)),
    close: async () => undefined,
  };
}

function ofDatabase(url: string): PrefixReader {
  const client = new MongoClient(url);
  const database = client.db();
  const retention = async (reading: { session?: ClientSession } = {}) =>
    await database
      .collection<Document & { _id: string }>('hub')
      .findOne({ _id: 'retention' }, reading);
  const placed = async (name: string, session: ClientSession) => {
    const found = await database
      .collection(name)
      .find({}, { session })
      .project({ position: 1 })
      .sort({ position: 1 })
      .toArray();
    return found.map(({ _id, position }) => ({ id: String(_id), position: String(position) }));
  };
  return {
    // In one snapshot: a commit that a killed process has sent may be done while this reads.
    read: () =>
      client.withSession({ snapshot: true }, async (session) => {
        const document = await retention({ session });
        const minutes = database.collection('frozen_minutes').find({}, { session });
        return {
          removed: await placed('removed_events', session),
          left: await placed('events', session),
          floor: document?.floors?.[logShard],
          removedEvents: document?.removed_events ?? 0,
          frozenMinutes: (await minutes.sort({ _id: 1 }).toArray()).map(({ _id }) => Number(_id)),
        };
      }),
    removedEvents: async () => (await retention())?.removed_events ?? 0,
    close: async () => await client.close(),
  };
}
