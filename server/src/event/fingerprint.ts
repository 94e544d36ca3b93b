import { crc32 } from 'node:zlib';
import type { Event } from './event.ts';

/**
 * 8 hex digits over an event's unchanging content, for positions. Leaves the
 * times out: a duplicate then has the fingerprint of its first.
 */
export function fingerprintOf(event: Event): string {
  return fingerprintOfText(
    `${event.id}\n${event.userId}\n${event.eventType}\n${event.amount}\n${event.currency}`,
  );
}

/** The same over any text, for an entry that is no event. */
export function fingerprintOfText(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
