import { systemClock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { inspectKeys } from './log-state.ts';
import { RedisConnection } from './redis-connection.ts';
import { missingRights } from './redis-faults.ts';
import { keysOf } from './redis-scripts.ts';
import { parseRedisUrl } from './redis-target.ts';
import { countRunningHubs } from './running-hubs.ts';

/**
 * Removes the log's keys for good. Rejects with `conflict` while a hub runs on
 * it or when it is not a hub's, with `not_found` when there is nothing.
 */
export async function eraseRedis(url: string): Promise<void> {
  const target = parseRedisUrl(url);
  const { keys, shown } = target;
  const connection = await RedisConnection.open(target, systemClock);
  try {
    const { isMarked } = await inspectKeys(connection, target);
    if (!isMarked) throw new HubError('not_found', `${shown} has no log "${keys.stream}"`);
    const running = await countRunningHubs(connection, target);
    if (running === undefined) throw missingRights(['+client|list'], shown);
    if (running > 0) {
      throw new HubError('conflict', `a hub runs on "${keys.stream}" of ${shown}: stop it first`);
    }
    await connection.send(['UNLINK', ...keysOf(keys)]);
  } finally {
    connection.destroy();
  }
}
