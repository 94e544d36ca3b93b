import { MongoClient, type MongoClientOptions, ReadConcern, WriteConcern } from 'mongodb';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { SettlingConnection } from './settling-connection.ts';

/** What no setting in a URL may weaken. */
export const writeConcern = new WriteConcern('majority', limits.mongoWriteMs, true);
export const readConcern = new ReadConcern('majority');

const options = {
  appName: 'event-hub',
  writeConcern,
  readConcern,
  readPreference: 'primary',
  retryWrites: true,
  retryReads: true,
  serverSelectionTimeoutMS: limits.mongoSelectionMs,
  connectTimeoutMS: limits.mongoConnectMs,
  heartbeatFrequencyMS: limits.mongoHeartbeatMs,
  // Asked each time: a server that only goes on talking need not hear what it is asked.
  serverMonitoringMode: 'poll',
  socketTimeoutMS: limits.mongoAnswerMs,
  waitQueueTimeoutMS: limits.mongoConnectMs,
  maxPoolSize: limits.mongoConnections,
  // An option that the driver has for its own use.
  connectionType: SettlingConnection,
} satisfies MongoClientOptions & { readonly connectionType: unknown };

const defaultDatabase = 'event_hub';

/** The servers and the database that a URL names. */
export interface MongoAddress {
  /** Not connected yet. */
  readonly client: MongoClient;
  readonly database: string;
  /** For messages: `host:port/database`, without user and password. */
  readonly place: string;
}

/** Throws `invalid` for a URL that is none, without repeating it: it may hold a password. */
export function parseMongoUrl(url: string): MongoAddress {
  try {
    const database = databaseOf(url) ?? defaultDatabase;
    const client = new MongoClient(url, options);
    // Throws for a name that MongoDB does not take.
    client.db(database);
    const { hosts, srvHost } = client.options;
    return { client, database, place: `${srvHost ?? hosts.join(',')}/${database}` };
  } catch (reason) {
    const why = reason instanceof Error ? reason.message.replaceAll(url, 'it') : 'it is no URL';
    throw new HubError(
      'invalid',
      `the URL of the MongoDB store cannot be used (${why}): write it as mongodb://HOST:27017/${defaultDatabase}`,
    );
  }
}

function databaseOf(url: string): string | undefined {
  const name = /^mongodb(?:\+srv)?:\/\/[^/?]*\/([^?]*)/.exec(url)?.[1];
  return name === undefined || name === '' ? undefined : decodeURIComponent(name);
}
