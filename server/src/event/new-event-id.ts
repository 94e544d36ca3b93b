import { v7 } from 'uuid';

/** An id for an event that came without: a UUIDv7, which sorts by time. */
export function newEventId(): string {
  return v7();
}
