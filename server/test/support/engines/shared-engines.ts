import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import type { EngineName } from './find-engine.ts';

/** The URL of the Redis that all tests of this run share; it starts with the first who asks. */
export async function sharedRedis(): Promise<string> {
  return await ask('redis');
}

/** The URL of the MongoDB that all tests of this run share, a replica set, with a database. */
export async function sharedMongo(database: string = freshName('test')): Promise<string> {
  const url = new URL(await ask('mongo'));
  url.pathname = `/${database}`;
  return url.href;
}

/** The URL of the broker that all tests of this run share, with a topic. */
export async function sharedKafka(topic: string = freshName('events')): Promise<string> {
  return `${await ask('kafka')}/${topic}`;
}

/** For a stream, a topic, a key or a database that nobody else uses. */
export function freshName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 13)}`;
}

async function ask(engine: EngineName): Promise<string> {
  const response = await fetch(`${inject('engines')}/${engine}`);
  const answer = await response.text();
  if (!response.ok) throw new Error(answer);
  return answer;
}
