import { noPosition } from '../../event/position-faults.ts';
import type { Places, Position } from '../event-log.ts';
import type { TopicFacts } from './kafka-cluster.ts';

/** After one record of one partition. */
export interface KafkaPlace {
  readonly partition: number;
  readonly offset: number;
  /** 8 hex digits over the entry, or `unseen` where it was not read. */
  readonly fingerprint: string;
}

/** Which topic it was: a position of another one, or of fewer partitions, is not one of this log. */
export interface TopicMark {
  /** 8 hex digits of the topic's id. */
  readonly topicId: string;
  readonly partitions: number;
}

export function markOf({ id, partitions }: TopicFacts): TopicMark {
  return { topicId: id.replaceAll('-', '').slice(0, 8), partitions: partitions.length };
}

/** In place of a fingerprint; sorts below all of them, so that it never stands in front of its own entry. */
export const unseen = '........';

/**
 * An entry's position is `PARTITION-OFFSET-TOPIC-PARTITIONS-FINGERPRINT`, with
 * 4 and 16 decimal digits first, so that it sorts bytewise within a partition.
 */
const entryForm = /^(\d{4})-(\d{16})-([0-9a-f]{8})-(\d{4})-([0-9a-f]{8}|\.{8})$/;
/** The places of a reader are `v-TOPIC-PARTITIONS`, then `-PARTITION.OFFSET.FINGERPRINT` for each, the numbers in base 36. */
const readerForm =
  /^v-([0-9a-f]{8})-(\d{4})((?:-[0-9a-z]{1,3}\.[0-9a-z]{1,11}\.(?:[0-9a-f]{8}|\.{8}))+)$/;

const placeForm = /^([0-9a-z]+)\.([0-9a-z]+)\.(.{8})$/;

export function formatPosition(place: KafkaPlace, mark: TopicMark): Position {
  const { partition, offset, fingerprint } = place;
  const start = `${digits(partition, 4)}-${digits(offset, 16)}`;
  return `${start}-${mark.topicId}-${digits(mark.partitions, 4)}-${fingerprint}` as Position;
}

export function isKafkaPosition(text: string): text is Position {
  return entryForm.test(text) || readerForm.test(text);
}

/** Whether it is an entry's own, which says nothing of the other partitions. */
export function isOfEntry(position: Position): boolean {
  return entryForm.test(position);
}

export interface ParsedPosition {
  readonly mark: TopicMark;
  readonly places: readonly KafkaPlace[];
}

/** Offsets begin at 0. Undefined for a place in several partitions, which says nothing of one. */
export function countedAt(position: Position): number | undefined {
  const { places } = parsePosition(position);
  const [place, ...others] = places;
  return place === undefined || others.length > 0 ? undefined : place.offset + 1;
}

/** Throws `invalid` for what never was a position. */
export function parsePosition(text: string): ParsedPosition {
  const entry = entryForm.exec(text);
  if (entry !== null) {
    const [, partition = '', offset = '', topicId = '', partitions = '', fingerprint = ''] = entry;
    const place = { partition: Number(partition), offset: Number(offset), fingerprint };
    return { mark: { topicId, partitions: Number(partitions) }, places: [place] };
  }
  const reader = readerForm.exec(text);
  if (reader === null) throw noPosition();
  const [, topicId = '', partitions = '', places = ''] = reader;
  return {
    mark: { topicId, partitions: Number(partitions) },
    places: places.slice(1).split('-').map(parsePlace),
  };
}

function parsePlace(text: string): KafkaPlace {
  const [, partition = '', offset = '', fingerprint = ''] = placeForm.exec(text) ?? [];
  const place = {
    partition: Number.parseInt(partition, 36),
    offset: Number.parseInt(offset, 36),
    fingerprint,
  };
  if (!Number.isSafeInteger(place.offset)) throw noPosition();
  return place;
}

/** The one position of a reader at these places. */
export function positionOfReader(places: Places): Position | undefined {
  const parts: string[] = [];
  let mark: TopicMark | undefined;
  for (const shard of [...places.keys()].sort(byNumber)) {
    const parsed = parsePosition(places.get(shard) as Position);
    mark ??= parsed.mark;
    for (const { partition, offset, fingerprint } of parsed.places) {
      parts.push(`-${partition.toString(36)}.${offset.toString(36)}.${fingerprint}`);
    }
  }
  if (mark === undefined) return undefined;
  return `v-${mark.topicId}-${digits(mark.partitions, 4)}${parts.join('')}` as Position;
}

export function shardOf(partition: number): string {
  return String(partition);
}

function byNumber(a: string, b: string): number {
  return Number(a) - Number(b);
}

function digits(number: number, length: number): string {
  return String(number).padStart(length, '0');
}
