import type { Migration } from '../../base/migration.ts';
import { createIndexes } from './collections.ts';
import { createCollections } from './create-collections.ts';
import type { MongoConnection } from './mongo-connection.ts';

export interface MongoMigration extends Migration {
  /** Hubs of the version before may run meanwhile and go on afterwards. */
  readonly besideOlderHubs: boolean;
  /**
   * Several processes may do it at once, and each may be broken off anywhere and
   * do it again: what is done already is left. A single command that MongoDB does
   * not answer within `limits.mongoAnswerMs` fails, so that what goes through all
   * events does so in pieces.
   */
  readonly apply: (connection: MongoConnection) => Promise<void>;
}

/**
 * The one at an index takes the database to the next version; what a release
 * had is only added to. An empty database, of version 0, goes through all of them.
 */
export const migrations: readonly MongoMigration[] = [
  {
    description: 'makes the collections of the hub with their indexes',
    cost: 'no events',
    besideOlderHubs: true,
    apply: makeWhatIsMissing,
  },
  {
    description:
      'makes the collections removed_events and frozen_minutes, for retention, and keeps hubs out that do not know them',
    cost: 'no events',
    // Nothing is removed while one of them runs: see `assertNoOlderHub`.
    besideOlderHubs: true,
    apply: makeWhatIsMissing,
  },
];

/** Without effect where all is there, as at most starts. */
export async function makeWhatIsMissing(connection: MongoConnection): Promise<void> {
  await createCollections(connection);
  await createIndexes(connection.collections);
}
