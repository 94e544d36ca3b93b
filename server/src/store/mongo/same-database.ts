import type { ClientSession } from 'mongodb';
import { HubError } from '../../base/errors.ts';
import type { MongoConnection } from './mongo-connection.ts';

/** Rejects with `conflict`, from then on always, when the database is not the one that was opened. */
export async function assertSameDatabase(
  connection: MongoConnection,
  identity: string,
  session?: ClientSession,
): Promise<void> {
  const options = session === undefined ? {} : { session };
  const mark = await connection.collections.hub.findOne({ _id: 'mark' }, options);
  if (mark?.identity === identity) return;
  throw connection.refuse(
    new HubError(
      'conflict',
      `the database at ${connection.place} was emptied or replaced under the running hub: restart the hub, which then reads the log from where the database stands`,
    ),
  );
}
