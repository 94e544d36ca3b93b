import { hash } from 'node:crypto';
import type { Instant } from '../base/clock.ts';
import { type Event, hasSameContent, isSameTime } from './event.ts';

/**
 * What stays of an event that retention removed, or that is let go before it is
 * known to all: enough to tell a repeat of it from another event with its id, and
 * nothing that says what it was.
 */
export interface RemovedEvent {
  readonly id: string;
  /** See `contentHashOf`. */
  readonly contentHash: string;
  readonly timestamp: Instant;
  readonly receivedAt: Instant;
}

/**
 * The first 132 bits of a SHA-256 in base64url over what `hasSameContent`
 * compares, the times apart. It stays for ever, so that its length counts; two
 * contents with the same one are not met by chance.
 */
export function contentHashOf({ userId, eventType, amount, currency, metadata }: Event): string {
  const content = [userId, eventType, String(amount), currency, metadata ?? null];
  return hash('sha256', JSON.stringify(content), 'base64url').slice(0, 22);
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
