import type { Settings } from '../../src/config/settings.ts';
import { freshName, sharedKafka, sharedMongo, sharedRedis } from './engines/shared-engines.ts';

/** A stream and a database of their own on the engines that all tests share. */
export async function serverEngines(): Promise<Pick<Settings, 'log' | 'store'>> {
  const [redis, mongo] = await Promise.all([sharedRedis(), sharedMongo()]);
  return { log: `${redis}/0?stream=${freshName('events')}`, store: mongo };
}

/** A topic and a database of their own on the engines that all tests share. */
export async function kafkaEngines(): Promise<Pick<Settings, 'log' | 'store'>> {
  const [log, store] = await Promise.all([sharedKafka(), sharedMongo()]);
  return { log, store };
}
