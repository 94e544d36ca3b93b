import type { EventLog, Position } from './event-log.ts';

/** The shard of a log that has one order for all of its entries. */
export const logShard = '0';

/**
 * What a log says of shards when it is one itself: a position is the place in it.
 * The places of the logs that there were before it lie before its own.
 */
export const oneShard = {
  shards: async () => [logShard],
  placesIn: (position: Position) => new Map([[logShard, position]]),
  resumeAt: async (position: Position) => new Map([[logShard, position]]),
  ownPlace: (place: Position) => place,
  positionAt: (places) => places.get(logShard),
} as const satisfies Pick<EventLog, 'shards' | 'placesIn' | 'resumeAt' | 'ownPlace' | 'positionAt'>;
