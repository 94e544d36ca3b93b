import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Db, MongoClient } from 'mongodb';
import { type Engines, openEngines } from '../../src/main/engines.ts';
import { makeOldestFile } from './oldest-file.ts';
import { openBeside } from './open-beside.ts';
import { command } from './redis-harness.ts';
import { serverEngines } from './server-settings.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { testSettings } from './test-settings.ts';

/** Where a hub's data is or will be. */
export interface Place {
  readonly log: string;
  readonly store: string;
  destroy(): Promise<void>;
}

/** And all in which the modes differ for a test that must hold in each of them. */
export interface ModePlace extends Place {
  /** What a command is told of it: one setting with SQLite, two with servers. */
  readonly flags: readonly string[];
  readonly words: ModeWords;
  /** The names of what a hub has made here; none before the first start. */
  traces(): Promise<readonly string[]>;
  /** Behind the hub's back: each count of the currency has one event more than were sent. */
  spoilCounts(currency: string): Promise<void>;
  /** Where nothing is yet: as a hub of the oldest version that this one can bring up to date has left it. */
  makeOldest(): Promise<void>;
}

/** What the mode's engines are called where a command speaks of them. */
export interface ModeWords {
  /** What an answer of success means, in the start line and on `/readyz`. */
  readonly durability: string;
  /** Where no hub was, for who reads there. */
  readonly noHub: string;
  /** While a hub runs, for who would remove its data. */
  readonly inUse: string;
  /** Findings of `event-hub doctor` by name, all of them good: before the first start, and beside a running hub. */
  readonly untouched: Readonly<Record<string, RegExp>>;
  readonly running: Readonly<Record<string, RegExp>>;
}

export type NewPlace = () => Promise<ModePlace>;

/** A file in a folder of its own, which is not there yet. */
export async function newFile(): Promise<ModePlace> {
  const folder = temporaryFolder();
  const file = join(folder.path, 'data', 'event-hub.db');
  const url = `sqlite:${file}`;
  return {
    log: url,
    store: url,
    flags: [`--log=${url}`],
    words: {
      durability: 'SQLite WAL with synchronous=FULL',
      noHub: 'there is no hub at',
      inUse: 'another hub runs on',
      untouched: { file: /is not there yet/ },
      running: { lock: /^a hub runs on the file$/, integrity: /^every page is whole$/ },
    },
    traces: async () => readdirSync(folder.path),
    spoilCounts: async (currency) => {
      const database = openBeside(file);
      database
        .prepare('UPDATE minute_counts SET event_count = event_count + 1 WHERE currency = ?')
        .run(currency);
      database.close();
    },
    makeOldest: async () => makeOldestFile(file),
    destroy: async () => folder.remove(),
  };
}

/** A stream and a database of their own on the engines that all tests share. */
export async function newServers(): Promise<ModePlace> {
  const { log, store } = await serverEngines();
  const stream = new URL(log).searchParams.get('stream') ?? '';
  const keys = async () => (await command(log, 'KEYS', `${stream}*`)) as readonly string[];
  return {
    log,
    store,
    flags: [`--log=${log}`, `--store=${store}`],
    words: {
      durability: 'Redis appendonly with appendfsync=always: on disk before the answer',
      noHub: 'there is no hub in the database at',
      inUse: 'a hub runs on the database at',
      untouched: { stream: /is not there yet/, database: /is empty: / },
      running: {
        stream: /has 0 entries, nothing trimmed$/,
        hubs: /^1 running on the log$/,
        database: /, hubs on it: 1$/,
        continuity: /^the store has read nothing of the log yet$/,
      },
    },
    traces: async () => {
      const list = (database: Db) => database.listCollections({}, { nameOnly: true }).toArray();
      const collections = await withDatabase(store, list);
      return [...(await keys()), ...collections.map(({ name }) => name)];
    },
    spoilCounts: async (currency) => {
      await withDatabase(store, (database) =>
        database
          .collection('minute_metrics')
          .updateMany({ currency }, { $inc: { event_count: 1 } }),
      );
    },
    makeOldest: async () => {
      // A hub that was stopped while it made its database.
      await withDatabase(store, async (database) => {
        const mark = { identity: randomUUID(), schema_version: 0, created_at: new Date() };
        await database
          .collection<{ _id: string }>('hub')
          .insertOne({ _id: 'mark', ...mark } as { _id: string });
      });
    },
    destroy: async () => {
      await command(log, 'UNLINK', stream, ...(await keys()));
      await withDatabase(store, (database) => database.dropDatabase());
    },
  };
}

/** Work on a place's engines, beside a hub that runs there or without one. */
export async function within<T>(
  place: Pick<Place, 'log' | 'store'>,
  work: (engines: Engines) => Promise<T>,
): Promise<T> {
  const { log, store } = place;
  const engines = await openEngines(testSettings('/', { log, store }), { exclusive: false });
  try {
    return await work(engines);
  } finally {
    await engines.close();
  }
}

/** Resolves when the store has all that the log has: at once where one write fills both. */
export async function settle(place: Place): Promise<void> {
  await within(place, async ({ log, store }) => {
    const end = await log.end();
    if (end !== undefined) await store.reached(log.placesIn(end), AbortSignal.timeout(30_000));
  });
}

async function withDatabase<T>(url: string, work: (database: Db) => Promise<T>): Promise<T> {
  const client = new MongoClient(url);
  try {
    return await work(client.db());
  } finally {
    await client.close();
  }
}
