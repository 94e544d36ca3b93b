import type { ClientSession } from 'mongodb';
import { HubError } from '../../base/errors.ts';
import { leasePrefixes } from '../event-store.ts';
import type { Collections } from './collections.ts';
import { startingWith } from './leases.ts';

/** The database from which on hubs know what was removed. */
const retentionVersion = 2;

/**
 * A hub that does not know what was removed would count a repeat of it again, and
 * give parts for totals: rejects with `conflict` while one runs, also as a reader alone.
 */
export async function assertNoOlderHub(
  { leases }: Collections,
  place: string,
  reading: { session?: ClientSession } = {},
): Promise<void> {
  const older = await leases.findOne(
    {
      $or: [leasePrefixes.process, leasePrefixes.archive].map((prefix) => ({
        _id: startingWith(prefix),
      })),
      schema_version: { $not: { $gte: retentionVersion } },
      $expr: { $gt: ['$expires_at', '$$NOW'] },
    },
    { ...reading, projection: { _id: 1 } },
  );
  if (older === null) return;
  throw new HubError(
    'conflict',
    `a hub of an older version runs on the database at ${place}, which knows nothing of removed events: stop it, then events can be removed`,
  );
}

/**
 * A hub before version 2 that was away so long that it did not seem to run counts
 * a repeat of what was removed again, or rebuilds minutes without it, when it comes
 * back. Each such transaction raises one of these two first, which a text cannot be.
 * Before the removal and not with it: the archive writes to the same documents all the time.
 */
export async function keepOlderHubsOut(collections: Collections, place: string): Promise<void> {
  const { positions } = collections;
  const isOpen = { records: { $not: { $type: 'string' } } } as const;
  if ((await positions.findOne(isOpen, { projection: { _id: 1 } })) === null) return;
  await assertNoOlderHub(collections, place);
  const text = 'events were removed';
  await positions.updateMany(isOpen, { $set: { records: text, rebuilds: text } });
}
