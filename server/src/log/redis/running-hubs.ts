import { HubError } from '../../base/errors.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisTarget } from './redis-target.ts';

/**
 * A hub names its connection, so that others see that it runs: unlike a key it
 * is gone with the process, however that ends.
 */
export function hubClientName(stream: string): string {
  return `event-hub:${encodeURIComponent(stream)}`;
}

/** How many hubs run on the log; undefined without the right to know. */
export async function countRunningHubs(
  connection: RedisConnection,
  { keys, database }: RedisTarget,
): Promise<number | undefined> {
  try {
    const list = String(await connection.send(['CLIENT', 'LIST']));
    const name = ` name=${hubClientName(keys.stream)} `;
    const inDatabase = ` db=${database} `;
    return list.split('\n').filter((line) => line.includes(name) && line.includes(inDatabase))
      .length;
  } catch (reason) {
    const cause = reason instanceof HubError ? reason.cause : undefined;
    if (cause instanceof Error && cause.message.startsWith('NOPERM')) return undefined;
    throw reason;
  }
}
