import { collectionNames } from './collections.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { codeOf } from './mongo-fault.ts';

const namespaceExists = 48;

/** Making one inside a transaction would fail as soon as two do it. */
export async function createCollections({ database }: MongoConnection): Promise<void> {
  for (const name of collectionNames) {
    try {
      await database.createCollection(name);
    } catch (reason) {
      if (codeOf(reason) !== namespaceExists) throw reason;
    }
  }
}
