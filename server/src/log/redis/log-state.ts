import { HubError } from '../../base/errors.ts';
import type { RedisConnection } from './redis-connection.ts';
import { foreign, replaced } from './redis-faults.ts';
import { compareEntryIds } from './redis-position.ts';
import { formatVersion, keysOf } from './redis-scripts.ts';
import type { RedisTarget } from './redis-target.ts';

/** What one process knows of the log, to notice that it went backwards. */
export class LogState {
  readonly #target: RedisTarget;
  /** The log's identity; undefined while it has no entry. */
  #logId: string | undefined;
  /** The newest entry that this process has acknowledged. */
  #acknowledged: string | undefined;

  constructor(target: RedisTarget) {
    this.#target = target;
  }

  get logId(): string | undefined {
    return this.#logId;
  }

  /** Takes the identity that Redis has now; throws `unavailable` when it was another, or is gone. */
  see(found: string | undefined): void {
    if (this.#logId !== undefined && found !== this.#logId) throw replaced(this.#target.shown);
    this.#logId = found;
  }

  acknowledge(entryId: string): void {
    const last = this.#acknowledged;
    if (last === undefined || compareEntryIds(entryId, last) > 0) this.#acknowledged = entryId;
  }

  /**
   * Rejects with `conflict` when what is under the keys is not a hub's, and
   * with `unavailable` when it is not the log that this process knows.
   */
  async inspect(connection: Pick<RedisConnection, 'send'>): Promise<void> {
    const found = await inspectKeys(connection, this.#target);
    this.see(found.logId);
    const last = this.#acknowledged;
    if (last === undefined || compareEntryIds(last, found.trimmedTo ?? '0-0') <= 0) return;
    const { stream } = this.#target.keys;
    const entries = await connection.send(['XRANGE', stream, last, last]);
    if (Array.isArray(entries) && entries.length === 0) throw replaced(this.#target.shown);
  }
}

export interface FoundKeys {
  /** Whether a hub has used this name. */
  readonly isMarked: boolean;
  readonly logId: string | undefined;
  readonly trimmedTo: string | undefined;
}

/** What is under the keys. Rejects with `conflict` when it is not a hub's, or a newer hub's. */
export async function inspectKeys(
  connection: Pick<RedisConnection, 'send'>,
  target: RedisTarget,
): Promise<FoundKeys> {
  const { keys, shown } = target;
  const wanted = { [keys.stream]: 'stream', [keys.hub]: 'hash', [keys.ids]: 'hash' };
  const types = await Promise.all(keysOf(keys).map((key) => connection.send(['TYPE', key])));
  for (const [at, key] of keysOf(keys).entries()) {
    const type = types[at];
    if (type !== 'none' && type !== wanted[key]) throw foreign(`a ${type} "${key}"`, shown);
  }
  const [stream, hub, ids] = types;
  if (hub === 'none') {
    if (stream !== 'none') throw foreign(`a stream "${keys.stream}"`, shown);
    if (ids !== 'none') throw foreign(`a hash "${keys.ids}"`, shown);
    return { isMarked: false, logId: undefined, trimmedTo: undefined };
  }
  const fields = ['format', 'id', 'trimmed_to'];
  const [format, id, trimmedTo] = (await connection.send([
    'HMGET',
    keys.hub,
    ...fields,
  ])) as readonly (string | null)[];
  if (format === null) throw foreign(`a hash "${keys.hub}"`, shown);
  if (format !== formatVersion) {
    const advice = 'start that version, or choose another name with ?stream=NAME';
    throw new HubError('conflict', `${shown} has a log of a newer event-hub: ${advice}`);
  }
  if (id === null && stream !== 'none') throw foreign(`a stream "${keys.stream}"`, shown);
  return { isMarked: true, logId: id ?? undefined, trimmedTo: trimmedTo ?? undefined };
}
