import type { Event } from './event.ts';

/** What an event takes in memory, roughly and rather too much: its text at two bytes a character, and a fixed part. */
export function eventBytes(event: Event): number {
  return 300 + 2 * eventCharacters(event);
}

/** Of what may be long in it. */
export function eventCharacters({ id, userId, metadata }: Event): number {
  return id.length + userId.length + (metadata?.length ?? 0);
}
