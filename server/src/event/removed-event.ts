import { createHash } from 'node:crypto';
import type { Instant } from '../base/clock.ts';
import { type Event, hasSameContent, isSameTime } from './event.ts';

/**
 * What stays of an event that retention removed: enough to tell a repeat of it
 * from another event with its id, and nothing that says what it was.
 */
export interface RemovedEvent {
  readonly id: string;
  /** See `contentHashOf`. */
  readonly contentHash: string;
  readonly timestamp: Instant;
  readonly receivedAt: Instant;
}

/** SHA-256 in base64url over what `hasSameContent` compares, the times apart. */
export function contentHashOf({ userId, eventType, amount, currency, metadata }: Event): string {
  const content = [userId, eventType, String(amount), currency, metadata ?? null];
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url');
}

export function removedEventOf(event: Event): RemovedEvent {
  const { id, timestamp, receivedAt } = event;
  return { id, contentHash: contentHashOf(event), timestamp, receivedAt };
}

/** `hasSameContent` where the first of the two may be known by what stays of it only. */
export function isRepeatOf(first: Event | RemovedEvent, second: Event): boolean {
  if (!('contentHash' in first)) return hasSameContent(first, second);
  return isSameTime(first, second) && first.contentHash === contentHashOf(second);
}
