import {
  type KafkaServer,
  startKafkaServer,
} from '../../server/test/support/engines/kafka-server.ts';
import {
  type MongoServer,
  startMongoServer,
} from '../../server/test/support/engines/mongo-server.ts';
import {
  type RedisServer,
  startRedisServer,
} from '../../server/test/support/engines/redis-server.ts';

export interface StandardEngines {
  readonly redis: RedisServer;
  readonly mongo: MongoServer;
}

/** A Redis with the durable settings and a MongoDB replica set of one, of this bench's own. */
export async function withStandardEngines<T>(
  use: (engines: StandardEngines) => Promise<T>,
): Promise<T> {
  const redis = await startRedisServer();
  const mongo = await startMongoServer();
  try {
    return await use({ redis, mongo });
  } finally {
    await Promise.all([redis.remove(), mongo.remove()]);
  }
}

export interface ScaleEngines {
  readonly kafka: KafkaServer;
  readonly mongo: MongoServer;
}

/** The same with a broker in place of Redis. */
export async function withScaleEngines<T>(use: (engines: ScaleEngines) => Promise<T>): Promise<T> {
  const kafka = await startKafkaServer();
  const mongo = await startMongoServer();
  try {
    return await use({ kafka, mongo });
  } finally {
    await Promise.all([kafka.remove(), mongo.remove()]);
  }
}
