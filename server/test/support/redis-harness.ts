import { createClient } from '@redis/client';
import type { EventLog } from '../../src/log/event-log.ts';
import type { OpenLogOptions } from '../../src/log/index.ts';
import { openRedisLog } from '../../src/log/redis/redis-log.ts';
import type { LogHarness } from '../log/event-log.suite.ts';
import { freshName, sharedRedis } from './engines/shared-engines.ts';

/** A log in a stream of its own on the Redis that all tests share. */
export async function redisLogHarness(
  decorate: (log: EventLog) => EventLog = (log) => log,
): Promise<LogHarness> {
  const stream = freshName('events');
  const url = `${await sharedRedis()}/0?stream=${stream}`;
  const remove = async () => {
    await command(url, 'DEL', stream, `${stream}:hub`, `${stream}:ids`);
  };
  return {
    open: async () => decorate(await openRedisLog(url, { exclusive: true })),
    replace: remove,
    destroy: remove,
  };
}

/** Opens a log for a test of its own engine. */
export async function openLog(
  url: string,
  options: Partial<OpenLogOptions> = {},
): Promise<EventLog> {
  return await openRedisLog(url, { exclusive: true, ...options });
}

/** One command, as redis-cli would send it. */
export async function command(
  url: string,
  ...args: readonly (string | Buffer)[]
): Promise<unknown> {
  const client = createClient({
    url: url.replace(/\?.*$/, ''),
    socket: { reconnectStrategy: false },
    commandOptions: { timeout: 0 },
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand(args);
  } finally {
    await client.close();
  }
}
