import { HubError } from '../base/errors.ts';
import type { FilterRequest } from '../event/requests.ts';
import type { Caller } from './caller.ts';

/**
 * The request as a caller who sees only some types may make it: without types it
 * asks for those, and to ask for another is `forbidden`.
 */
export function narrow<R extends FilterRequest>(caller: Caller, request: R): R {
  const { eventTypes } = caller;
  if (eventTypes === undefined) return request;
  const asked = request.event_type;
  // An empty list asks for all, as nothing does.
  if (asked === undefined || asked === null || (Array.isArray(asked) && asked.length === 0)) {
    return { ...request, event_type: [...eventTypes] };
  }
  for (const each of Array.isArray(asked) ? asked : [asked]) {
    if (typeof each === 'string' && !eventTypes.has(each)) throw otherType(caller, eventTypes);
  }
  return request;
}

/** Throws `forbidden` when the caller may not send events of this type. */
export function assertMaySend(caller: Caller, eventType: string): void {
  const { eventTypes } = caller;
  if (eventTypes === undefined || eventTypes.has(eventType)) return;
  throw otherType(caller, eventTypes);
}

export function seesType({ eventTypes }: Caller, eventType: string): boolean {
  return eventTypes === undefined || eventTypes.has(eventType);
}

function otherType({ name }: Caller, eventTypes: ReadonlySet<string>): HubError {
  const types = [...eventTypes].join(', ');
  return new HubError('forbidden', `${name} is only for events of the types ${types}`);
}
