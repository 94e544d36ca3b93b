import type { Event } from './event.ts';

/** Which events somebody wants. Absent parts take everything; values within a part are alternatives. */
export interface Filter {
  readonly userIds?: readonly string[];
  readonly eventTypes?: readonly string[];
  readonly currency?: string;
}

/** The one matcher: feeds, listings and counts agree by construction. */
export function matches(filter: Filter, event: Event): boolean {
  return (
    (filter.userIds === undefined || filter.userIds.includes(event.userId)) &&
    (filter.eventTypes === undefined || filter.eventTypes.includes(event.eventType)) &&
    (filter.currency === undefined || filter.currency === event.currency)
  );
}

export function isEmptyFilter(filter: Filter): boolean {
  return (
    filter.userIds === undefined && filter.eventTypes === undefined && filter.currency === undefined
  );
}
