import type { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { positionGone } from '../../event/position-faults.ts';
import type { Places, Position, ReadOptions } from '../event-log.ts';
import { batchesIn, type FetchedPartition, hasBatch } from './fetch.ts';
import { type KafkaCluster, partitionsOf, type TopicFacts } from './kafka-cluster.ts';
import {
  formatPosition,
  isKafkaPosition,
  isOfEntry,
  type KafkaPlace,
  parsePosition,
  positionOfReader,
  shardOf,
  type TopicMark,
  unseen,
} from './kafka-position.ts';
import { parseRecord } from './kafka-record.ts';
import type { Start } from './partition-reader.ts';

export interface PlacesDeps {
  readonly cluster: KafkaCluster;
  readonly facts: TopicFacts;
  readonly mark: TopicMark;
  /** Why nothing can be read on. */
  readonly gone: HubError | undefined;
}

/** The places that a position names. Throws `position_gone` for another topic's, `invalid` for what never was one. */
export function placesIn(position: Position, mark: TopicMark): Places {
  return byShard(ownPlaces(position, mark), mark);
}

/** See `EventLog.ownPlace`: a topic that has grown holds each record where it was. */
export function ownPlace(place: Position, mark: TopicMark): Position | undefined {
  if (!isKafkaPosition(place)) return undefined;
  const { mark: its, places } = parsePosition(place);
  const [own] = places;
  return own === undefined || its.topicId !== mark.topicId ? undefined : formatPosition(own, mark);
}

function byShard(places: readonly KafkaPlace[], mark: TopicMark): Places {
  return new Map(places.map((place) => [shardOf(place.partition), formatPosition(place, mark)]));
}

function ownPlaces(position: Position, mark: TopicMark): readonly KafkaPlace[] {
  const parsed = parsePosition(position);
  if (parsed.mark.topicId !== mark.topicId) {
    throw positionGone('the position belongs to another topic');
  }
  if (parsed.mark.partitions !== mark.partitions) {
    throw positionGone(
      `the position is of a topic with ${parsed.mark.partitions} partitions, and this has ${mark.partitions}`,
    );
  }
  return parsed.places;
}

/** Where each wanted partition is to be read, with what is to be found there. */
export async function startsOf(
  deps: PlacesDeps,
  { from, shard, follow }: Pick<ReadOptions, 'from' | 'shard' | 'follow'>,
): Promise<readonly Start[]> {
  const { cluster, facts } = deps;
  const all = partitionsOf(facts);
  const wanted =
    shard === undefined ? all : all.filter((partition) => shardOf(partition) === shard);
  const places = await placesFrom(deps, from, shard);
  const extents = await cluster.extents(wanted);
  return [...extents].map(([partition, { first, end }]) => {
    const until = follow ? undefined : end;
    if (from === 'end') return { partition, next: end, after: undefined, until };
    const after = places.get(partition);
    if (after === undefined) return { partition, next: first, after, until };
    if (after.offset >= end) throw positionGone('the log ends before this position');
    if (after.offset + 1 < first) {
      throw positionGone('the log no longer holds the entries after this position');
    }
    // Nothing is missed after the newest entry that was removed.
    const isRemoved = after.offset < first;
    return { partition, next: after.offset + 1, after: isRemoved ? undefined : after, until };
  });
}

async function placesFrom(
  deps: PlacesDeps,
  from: ReadOptions['from'],
  shard: string | undefined,
): Promise<ReadonlyMap<number, KafkaPlace>> {
  if (from === 'start' || from === 'end') return new Map();
  const own = ownPlaces(from, deps.mark);
  const [only] = own;
  const places =
    shard === undefined && only !== undefined && isOfEntry(from)
      ? [only, ...(await othersBeside(deps, only))]
      : own;
  return new Map(places.map((place) => [place.partition, place]));
}

/** See `EventLog.resumeAt`. */
export async function resumeAt(deps: PlacesDeps, position: Position): Promise<Places> {
  const places = await placesFrom(deps, position, undefined);
  return byShard([...places.values()], deps.mark);
}

/** In the other partitions: just before the first entry that is no older than this one, by clocks that may differ. */
async function othersBeside(deps: PlacesDeps, place: KafkaPlace): Promise<readonly KafkaPlace[]> {
  const { cluster, facts } = deps;
  const [entry] = await recordsAt(deps, new Map([[place.partition, place.offset]]));
  if (entry === undefined || entry.fingerprint !== place.fingerprint) {
    throw positionGone('the log does not hold the entry of this position');
  }
  const others = partitionsOf(facts).filter((at) => at !== place.partition);
  const since = entry.timestamp - limits.kafkaClockSkewMs;
  const [found, extents] = await Promise.all([
    cluster.offsets(others, since),
    cluster.extents(others),
  ]);
  return [...extents].flatMap(([partition, { first, end }]) => {
    const next = found.get(partition) ?? end;
    // Where the oldest are gone, some of those may have been younger: it is read from its start.
    if (next === 0 || next === first) return [];
    return [{ partition, offset: next - 1, fingerprint: unseen }];
  });
}

/** See `EventLog.end`. */
export async function endOf(deps: PlacesDeps): Promise<Position | undefined> {
  const { cluster, facts, mark } = deps;
  const used = [...(await cluster.extents(partitionsOf(facts)))].filter(([, { end }]) => end > 0);
  const held = used.filter(([, { first, end }]) => end > first);
  const newest = await recordsAt(deps, new Map(held.map(([at, { end }]) => [at, end - 1])));
  const seen = new Map(newest.map(({ partition, fingerprint }) => [partition, fingerprint]));
  const places = used.map(([partition, { end }]) => ({
    partition,
    offset: end - 1,
    fingerprint: seen.get(partition) ?? unseen,
  }));
  return positionOfReader(byShard(places, mark));
}

/** See `EventLog.trimmedTo`. */
export async function trimmedPosition(
  { cluster, mark, gone }: PlacesDeps,
  shard: string,
): Promise<Position | undefined> {
  // What another topic has removed is no place of this one, and retention would go by it.
  if (gone !== undefined) throw gone;
  const partition = Number(shard);
  const first = (await cluster.offsets([partition], 'earliest')).get(partition) ?? 0;
  if (first === 0) return undefined;
  return formatPosition({ partition, offset: first - 1, fingerprint: unseen }, mark);
}

interface FoundRecord {
  readonly partition: number;
  readonly offset: number;
  readonly fingerprint: string;
  /** The time of receipt in a hub's own. */
  readonly timestamp: number;
}

/** From each of these offsets something, as far as it is there: what an answer had no room for is asked for again. */
async function fetchAll(
  cluster: KafkaCluster,
  leader: number,
  topicId: string,
  from: Map<number, number>,
): Promise<readonly FetchedPartition[]> {
  const all: FetchedPartition[] = [];
  while (from.size > 0) {
    const fetched = await cluster.fetch(cluster.pool, leader, topicId, from, 0);
    // The first one that has anything gives it, however large: when none does, none has.
    const given = fetched.filter((part) => part.errorCode !== 0 || hasBatch(part));
    if (given.length === 0) break;
    for (const { partition } of given) from.delete(partition);
    all.push(...given);
  }
  return all;
}

/** The records at these offsets, as far as they are there. */
async function recordsAt(
  { cluster, facts }: PlacesDeps,
  wanted: ReadonlyMap<number, number>,
): Promise<readonly FoundRecord[]> {
  const { partitions } = await cluster.knownTopic();
  const byLeader = Map.groupBy(wanted, ([partition]) => partitions[partition]?.leader ?? -1);
  const fetched = await Promise.all(
    [...byLeader].map(([leader, from]) => fetchAll(cluster, leader, facts.id, new Map(from))),
  );
  return fetched.flat().flatMap((part) => {
    if (part.errorCode !== 0) cluster.forgetLeaders();
    return recordIn(part, wanted.get(part.partition)) ?? [];
  });
}

function recordIn(part: FetchedPartition, wanted: number | undefined): FoundRecord | undefined {
  const { partition } = part;
  for (const { firstOffset, firstTimestamp, records } of batchesIn(part)) {
    for (const record of records) {
      const offset = Number(firstOffset) + record.offsetDelta;
      if (offset !== wanted) continue;
      const timestamp = Number(firstTimestamp + record.timestampDelta);
      return { partition, offset, timestamp, fingerprint: parseRecord(record).fingerprint };
    }
  }
  return undefined;
}
