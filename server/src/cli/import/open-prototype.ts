import type { Db, Document } from 'mongodb';
import { HubError } from '../../base/errors.ts';
import { parseMongoUrl } from '../../store/mongo/mongo-address.ts';
import { CommandError, exitCode, usageError } from '../exit-code.ts';

export interface Prototype {
  /** `host:port/database.collection`, for people. */
  readonly place: string;
  /** About so many. */
  readonly count: number;
  /** In the order of their ids, which is that of their making. */
  documents(): AsyncIterable<Document>;
  close(): Promise<void>;
}

const batchDocuments = 1_000;

/** Opens the prototype's collection for reading. Throws CommandError for a hub's own database. */
export async function openPrototype(url: string, collection: string): Promise<Prototype> {
  if (!/^mongodb(\+srv)?:/.test(url)) {
    throw usageError('--from names the MongoDB of the prototype, as mongodb://localhost/event_hub');
  }
  const { client, database, place } = addressOf(url);
  const source = client.db(database);
  try {
    // Text, dates and ids as they are; numbers as JavaScript has them, where they fit.
    if ((await source.collection('hub').countDocuments({ _id: { $eq: 'mark' as never } })) > 0) {
      throw usageError(
        `${place} is a hub's own database, not the prototype's: event-hub copy moves a hub; the prototype's data and the hub's need databases of their own`,
      );
    }
    const documents = source.collection(collection);
    const count = await documents.estimatedDocumentCount();
    if (count === 0 && !(await isThere(source, collection))) {
      throw usageError(
        `${place} has no collection "${collection}": name the prototype's database in --from, and its collection in --collection`,
      );
    }
    return {
      place: `${place}.${collection}`,
      count,
      documents: () => documents.find().sort({ _id: 1 }).batchSize(batchDocuments),
      close: () => client.close(),
    };
  } catch (reason) {
    await client.close();
    if (reason instanceof CommandError) throw reason;
    const why = reason instanceof Error ? reason.message : String(reason);
    throw new CommandError(exitCode.unreachable, `${place} cannot be read: ${why}`);
  }
}

async function isThere(source: Db, name: string): Promise<boolean> {
  // Also for a user who may not list the others.
  const options = { nameOnly: true, authorizedCollections: true };
  return (await source.listCollections({ name }, options).toArray()).length > 0;
}

function addressOf(url: string) {
  try {
    return parseMongoUrl(url);
  } catch (reason) {
    throw usageError(`--from: ${HubError.from(reason).message}`);
  }
}
