import type { DatabaseSync } from 'node:sqlite';
import type { Access, StoredKey } from '../../store/key-store.ts';

/** The mark of a hub that was closed by its first key. */
const closedKey = 'access_closed';

/** In one snapshot. */
export function readAccess(database: DatabaseSync): Access {
  database.exec('BEGIN');
  try {
    const closed = database.prepare('SELECT 1 FROM hub WHERE key = ?').get(closedKey);
    const rows = database.prepare('SELECT * FROM api_keys ORDER BY created_at, id').all();
    return { isClosed: closed !== undefined, keys: rows.map(keyOf) };
  } finally {
    database.exec('COMMIT');
  }
}

export function addKey(database: DatabaseSync, key: StoredKey, forgetEndedBefore: number): void {
  close(database);
  database
    .prepare('DELETE FROM api_keys WHERE coalesce(revoked_at, expires_at) < ?')
    .run(forgetEndedBefore);
  database.prepare(insertKey).run(...rowOf(key));
}

/** Closed when one of both is; a key that both know ends when it ends in one of them. */
export function mergeAccess(database: DatabaseSync, { isClosed, keys }: Access): void {
  if (isClosed) close(database);
  const merge = database.prepare(
    `${insertKey} ON CONFLICT (id) DO UPDATE SET
      expires_at = coalesce(min(expires_at, excluded.expires_at), expires_at, excluded.expires_at),
      revoked_at = coalesce(min(revoked_at, excluded.revoked_at), revoked_at, excluded.revoked_at),
      last_used_at = coalesce(max(last_used_at, excluded.last_used_at), last_used_at, excluded.last_used_at)`,
  );
  for (const key of keys) merge.run(...rowOf(key));
}

export function expireKeys(database: DatabaseSync, ids: readonly string[], at: number): void {
  const expire = database.prepare(
    'UPDATE api_keys SET expires_at = min(coalesce(expires_at, ?), ?) WHERE id = ?',
  );
  for (const id of ids) expire.run(at, at, id);
}

export function revokeKeys(database: DatabaseSync, ids: readonly string[], at: number): void {
  const revoke = database.prepare(
    'UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?',
  );
  for (const id of ids) revoke.run(at, id);
}

export function noteKeyUses(database: DatabaseSync, uses: ReadonlyMap<string, number>): void {
  const note = database.prepare(
    'UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?',
  );
  for (const [id, at] of uses) note.run(at, id);
}

export function reopenAccess(database: DatabaseSync): void {
  database.prepare('DELETE FROM hub WHERE key = ?').run(closedKey);
}

function close(database: DatabaseSync): void {
  database.prepare("INSERT INTO hub VALUES (?, 'true') ON CONFLICT DO NOTHING").run(closedKey);
}

const insertKey = 'INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)';

function rowOf(key: StoredKey): (string | number | null)[] {
  return [
    key.id,
    key.name,
    key.hash,
    JSON.stringify(key.scopes),
    key.eventTypes === undefined ? null : JSON.stringify(key.eventTypes),
    key.createdAt,
    key.expiresAt ?? null,
    key.revokedAt ?? null,
    key.lastUsedAt ?? null,
  ];
}

function keyOf(row: Record<string, unknown>): StoredKey {
  const optional = (value: unknown) => (value === null ? undefined : Number(value));
  return {
    id: String(row.id),
    name: String(row.name),
    hash: String(row.hash),
    scopes: JSON.parse(String(row.scopes)) as string[],
    eventTypes:
      row.event_types === null ? undefined : (JSON.parse(String(row.event_types)) as string[]),
    createdAt: Number(row.created_at),
    expiresAt: optional(row.expires_at),
    revokedAt: optional(row.revoked_at),
    lastUsedAt: optional(row.last_used_at),
  };
}
