import { HubError } from './errors.ts';
import { limits } from './limits.ts';

/** What `parseJson` answers. Objects inherit nothing, so that `toString` is a key like any other. */
export type Json = null | boolean | number | string | InexactNumber | readonly Json[] | JsonObject;

export type JsonObject = { readonly [key: string]: Json };

/**
 * A number that a double cannot hold: it would come back as another decimal,
 * as 9007199254740993, 1e400 and 1e-400 do. It keeps its text instead of its value.
 */
export class InexactNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

export interface JsonCaps {
  /** Objects and arrays within one another. */
  readonly depth: number;
  /** Keys of all objects and elements of all arrays; counted anew for each element when the whole is an array. */
  readonly keys: number;
}

/**
 * Makes objects whose prototype is empty. Unlike `Object.create(null)` they
 * keep V8's fast layout, and reading their fields stays fast.
 */
export const EmptyObject = function EmptyObject() {} as unknown as new () => {
  [key: string]: Json;
};
EmptyObject.prototype = Object.create(null);

/** A JSON pointer (RFC 6901) to this place; names too long to repeat are cut. */
export function jsonPointer(parts: readonly (string | number)[]): string {
  let pointer = '';
  for (const part of parts) {
    const name = String(part).slice(0, limits.echoedCharacters).toWellFormed();
    pointer += `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }
  return pointer;
}

/** The character at this place, for a message. */
export function characterAt(text: string, at: number): string {
  const code = text.codePointAt(at);
  if (code === undefined) return 'the end of the text';
  return JSON.stringify(String.fromCodePoint(code).toWellFormed());
}

export function unreadable(code: string, detail: string, pointer = ''): HubError {
  return new HubError('unreadable', detail, { details: [{ pointer, code, detail }] });
}
