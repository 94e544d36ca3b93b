import { limits } from '../base/limits.ts';
import { currencies } from './currencies.ts';
import type { Sign } from './event.ts';
import { type Fault, shown } from './faults.ts';

/**
 * The rules of single fields, for events and filters alike. Each answers why a
 * text is refused, or undefined.
 */
export function idFault(id: string, name = 'id'): Fault | undefined {
  if (idForm.test(id) && id.length <= limits.idCharacters && id !== RESERVED_ID) return undefined;
  if (id === '') return empty(name);
  if (id === RESERVED_ID) {
    return { code: 'id_reserved', detail: `${name} "${RESERVED_ID}" is reserved: choose another` };
  }
  if (id.length > limits.idCharacters) {
    return {
      code: 'too_long',
      detail: `${name} has ${id.length} characters, at most ${limits.idCharacters}`,
    };
  }
  return {
    code: 'id_characters',
    detail: `${name} ${shown(id)} has other characters than A-Z a-z 0-9 . _ ~ : - or starts with none of the letters and digits`,
  };
}

export function userIdFault(userId: string, name = 'user_id'): Fault | undefined {
  if (userId === '') return empty(name);
  if (exceedsCodePoints(userId, limits.userIdCodePoints)) {
    return {
      code: 'too_long',
      detail: `${name} has more than ${limits.userIdCodePoints} characters`,
    };
  }
  let isAscii = true;
  for (let at = 0; at < userId.length; at += 1) {
    const code = userId.charCodeAt(at);
    if (code < SPACE || (code >= DELETE && code <= LAST_CONTROL)) {
      return {
        code: 'control_character',
        detail: `${name} has a control character at ${at}: remove it`,
      };
    }
    if (code > DELETE) isAscii = false;
  }
  return isAscii || userId.isWellFormed() ? undefined : illFormed(name);
}

export function eventTypeFault(
  eventType: string,
  eventTypes: ReadonlyMap<string, Sign>,
  name = 'event_type',
): Fault | undefined {
  if (eventTypes.has(eventType)) return undefined;
  if (eventType === '') return empty(name);
  const known = Array.from(eventTypes.keys()).slice(0, limits.errorDetails).join(', ');
  const others = eventTypes.size - limits.errorDetails;
  return {
    code: 'event_type_unknown',
    detail: `${name} ${shown(eventType)} is not one of ${known}${others > 0 ? ` and ${others} more` : ''}`,
  };
}

export function currencyFault(currency: string, name = 'currency'): Fault | undefined {
  if (currencies.has(currency)) return undefined;
  if (currency === '') return empty(name);
  const upper = currency.toUpperCase();
  const advice = currencies.has(upper) ? `: write "${upper}"` : ', such as "EUR"';
  return {
    code: 'currency_unknown',
    detail: `${name} ${shown(currency)} is not a code of ISO 4217${advice}`,
  };
}

export function illFormed(name: string): Fault {
  return {
    code: 'invalid_unicode',
    detail: `${name} has half of a surrogate pair: send well-formed Unicode`,
  };
}

/** Whether a text has more code points than this. Short and very long texts are not walked. */
export function exceedsCodePoints(text: string, max: number): boolean {
  if (text.length <= max) return false;
  if (text.length > 2 * max) return true;
  let count = 0;
  for (const _ of text) count += 1;
  return count > max;
}

function empty(name: string): Fault {
  return { code: 'empty', detail: `${name} is empty: give it a value` };
}

const RESERVED_ID = 'stream';
const idForm = /^[A-Za-z0-9][A-Za-z0-9._~:-]*$/;

const SPACE = 0x20;
const DELETE = 0x7f;
const LAST_CONTROL = 0x9f;
