import { JsonReader } from './json-reader.ts';
import {
  InexactNumber,
  type Json,
  type JsonCaps,
  type JsonObject,
  unreadable,
} from './json-value.ts';
import { limits } from './limits.ts';

export {
  InexactNumber,
  type Json,
  type JsonCaps,
  type JsonObject,
  jsonPointer,
} from './json-value.ts';

const eventCaps: JsonCaps = { depth: limits.jsonDepth, keys: limits.jsonKeys };

/**
 * Reads JSON strictly by RFC 8259, refusing what `JSON.parse` would change or
 * drop in silence: repeated keys, keys that reach for prototypes, and numbers
 * beyond a double (kept as InexactNumber). Throws `unreadable`.
 */
export function parseJson(text: string, caps: JsonCaps = eventCaps): Json {
  return new JsonReader(text, caps).document();
}

/** Bytes as text. Throws `unreadable` for what is not UTF-8 and for a byte order mark. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw unreadable(
      'byte_order_mark',
      'the text starts with a byte order mark: send UTF-8 without',
    );
  }
  try {
    return utf8.decode(bytes);
  } catch {
    throw unreadable('invalid_utf8', 'the text is not UTF-8: encode it as UTF-8');
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Compact JSON with the keys sorted at every level, so that equal values have equal texts. */
export function canonicalJson(value: Json): string {
  if (typeof value === 'string') return quoteJson(value);
  // Adding 0 turns -0 into 0.
  if (typeof value === 'number') return String(value + 0);
  if (value === null || typeof value === 'boolean') return String(value);
  if (value instanceof InexactNumber) return value.source;
  let text = '';
  if (isJsonArray(value)) {
    for (const item of value) text += `${text === '' ? '' : ','}${canonicalJson(item)}`;
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) {
    text += `${text === '' ? '' : ','}${quoteJson(key)}:${canonicalJson(value[key] ?? null)}`;
  }
  return `{${text}}`;
}

/** Text as a JSON string; what needs no escape is not searched twice. */
export function quoteJson(text: string): string {
  return needsEscape.test(text) ? JSON.stringify(text) : `"${text}"`;
}

// Everything but printable ASCII without the quote and the backslash.
const needsEscape = /[^ !#-[\]-~]/;

/** `Array.isArray` does not narrow readonly arrays. */
export function isJsonArray(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** Whether it is an object as `parseJson` makes them. */
export function isJsonObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof InexactNumber)
  );
}
