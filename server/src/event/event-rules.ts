import { HubError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Sign } from './event.ts';
import { shown } from './faults.ts';

/**
 * Reads the setting `EVENT_HUB_EVENT_TYPES`, such as `purchase:+,return:-,refund:-`:
 * names with the sign by which a type enters net totals; a name alone counts 0
 * there. Throws `invalid` with what to change.
 */
export function parseEventTypes(text: string): ReadonlyMap<string, Sign> {
  const types = new Map<string, Sign>();
  for (const part of text.split(',')) {
    const [name = '', sign = '', ...rest] = part.trim().split(':');
    if (!typeName.test(name)) {
      throw refused(
        `${shown(name)} is not a type name: 1-64 of A-Z a-z 0-9 _ . - of which the first is a letter`,
      );
    }
    const isMarked = part.includes(':');
    if (rest.length > 0 || (isMarked && sign !== '+' && sign !== '-')) {
      throw refused(
        `${shown(part.trim())} has an unknown sign: write ${name}:+, ${name}:-, or ${name} to leave it out of net totals`,
      );
    }
    if (types.has(name)) throw refused(`${shown(name)} is there twice: keep one`);
    types.set(name, sign as Sign);
  }
  if (types.size > limits.eventTypes) {
    throw refused(`there are ${types.size} event types, at most ${limits.eventTypes}`);
  }
  return types;
}

/** The setting's text for these types, in their order. */
export function formatEventTypes(types: ReadonlyMap<string, Sign>): string {
  return Array.from(types, ([name, sign]) => (sign === '' ? name : `${name}:${sign}`)).join(',');
}

/** Whether some hub may know this type. */
export function isEventTypeName(name: string): boolean {
  return typeName.test(name);
}

const typeName = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;

function refused(detail: string): HubError {
  return new HubError('invalid', detail, {
    details: [{ pointer: '', code: 'event_types', detail }],
  });
}
