import { dateOf, type Instant } from '../../base/clock.ts';
import type { Access, KeyStore, StoredKey } from '../key-store.ts';
import type { ApiKeyDocument, Collections } from './collections.ts';
import type { MongoConnection } from './mongo-connection.ts';

/** The mark of a hub that was closed by its first key. */
const _id = 'access';

/** Keys in `api_keys`, and the closing in `hub`. */
export function mongoKeys(connection: MongoConnection): KeyStore {
  const change = async (act: (collections: Collections) => Promise<unknown>): Promise<void> => {
    await connection.use(act);
  };
  return {
    access: () => connection.use(readAccess),
    add: (key, forgetEndedBefore) =>
      change(async ({ hub, apiKeys }) => {
        // First of all: a crash in between leaves a hub that nobody enters, never one that is open beside a key.
        await hub.updateOne({ _id }, { $set: { closed: true } }, { upsert: true });
        const before = dateOf(forgetEndedBefore);
        await apiKeys.deleteMany({
          $or: [{ revoked_at: { $lt: before } }, { expires_at: { $lt: before } }],
        });
        await apiKeys.insertOne(documentOf(key));
      }),
    expire: (ids, at) =>
      change(({ apiKeys }) =>
        apiKeys.updateMany({ _id: { $in: [...ids] } }, { $min: { expires_at: dateOf(at) } }),
      ),
    revoke: (ids, at) =>
      change(({ apiKeys }) =>
        apiKeys.updateMany({ _id: { $in: [...ids] } }, { $min: { revoked_at: dateOf(at) } }),
      ),
    noteUses: (uses) =>
      change(({ apiKeys }) =>
        apiKeys.bulkWrite(
          [...uses].map(([id, at]) => ({
            updateOne: { filter: { _id: id }, update: { $max: { last_used_at: dateOf(at) } } },
          })),
        ),
      ),
    reopen: () => change(({ hub }) => hub.deleteOne({ _id })),
  };
}

/** The mark is read last: keys that were made in between are then not missing beside it. */
async function readAccess({ hub, apiKeys }: Collections): Promise<Access> {
  const documents = await apiKeys.find().sort({ created_at: 1, _id: 1 }).toArray();
  const mark = await hub.findOne({ _id });
  return { isClosed: mark !== null, keys: documents.map(keyOf) };
}

/** Absent members are left out: `$min` and `$max` set what is not there. */
function documentOf(key: StoredKey): ApiKeyDocument {
  const { eventTypes, expiresAt, revokedAt, lastUsedAt } = key;
  return {
    _id: key.id,
    name: key.name,
    hash: key.hash,
    scopes: key.scopes,
    created_at: dateOf(key.createdAt),
    ...(eventTypes === undefined ? {} : { event_types: eventTypes }),
    ...(expiresAt === undefined ? {} : { expires_at: dateOf(expiresAt) }),
    ...(revokedAt === undefined ? {} : { revoked_at: dateOf(revokedAt) }),
    ...(lastUsedAt === undefined ? {} : { last_used_at: dateOf(lastUsedAt) }),
  };
}

function keyOf(document: ApiKeyDocument): StoredKey {
  return {
    id: document._id,
    name: document.name,
    hash: document.hash,
    scopes: document.scopes,
    eventTypes: document.event_types,
    createdAt: document.created_at.getTime(),
    expiresAt: instantOf(document.expires_at),
    revokedAt: instantOf(document.revoked_at),
    lastUsedAt: instantOf(document.last_used_at),
  };
}

function instantOf(date: Date | undefined): Instant | undefined {
  return date?.getTime();
}
