import { survivesDouble } from './decimal.ts';
import type { HubError } from './errors.ts';
import {
  characterAt,
  EmptyObject,
  InexactNumber,
  type Json,
  type JsonCaps,
  jsonPointer,
  unreadable,
} from './json-value.ts';
import { limits } from './limits.ts';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const UPPER_E = 0x45;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Digits that survive a double, and the powers of ten that it holds exactly and they need. */
const EXACT_DIGITS = limits.amountNumberDigits;
const powersOfTen = Array.from({ length: EXACT_DIGITS + 1 }, (_, power) => 10 ** power);

/** One pass over the text by recursive descent; the depth cap bounds the recursion. */
export class JsonReader {
  readonly text: string;
  readonly caps: JsonCaps;
  at = 0;
  depth = 0;
  keys = 0;
  /** The name or index of the open containers' members, for pointers; valid up to `depth`. */
  readonly path: (string | number)[] = [];

  constructor(text: string, caps: JsonCaps) {
    this.text = text;
    this.caps = caps;
  }

  document(): Json {
    if (Number.isNaN(this.next())) {
      throw unreadable('empty_body', 'there is nothing here: a JSON value is needed');
    }
    const value = this.value();
    if (!Number.isNaN(this.next())) throw this.unexpected('the end of the text');
    return value;
  }

  /** Skips blanks; the code of the character that follows, NaN at the end. */
  next(): number {
    const text = this.text;
    let at = this.at;
    let code = text.charCodeAt(at);
    while (code === SPACE || code === LINE_FEED || code === CARRIAGE_RETURN || code === TAB) {
      at += 1;
      code = text.charCodeAt(at);
    }
    this.at = at;
    return code;
  }

  value(): Json {
    const code = this.next();
    if (code === QUOTE) return this.string();
    if ((code >= ZERO && code <= NINE) || code === MINUS) return this.number();
    if (code === OPEN_BRACE) return this.object();
    if (code === OPEN_BRACKET) return this.array();
    if (code === LOWER_T) return this.word('true', true);
    if (code === LOWER_F) return this.word('false', false);
    if (code === LOWER_N) return this.word('null', null);
    throw this.unexpected('a JSON value');
  }

  object(): Json {
    this.enter();
    const object = new EmptyObject();
    if (this.next() === CLOSE_BRACE) return this.leave(object);
    for (;;) {
      if (this.next() !== QUOTE) throw this.unexpected('a key in double quotes');
      const key = this.string();
      this.checkKey(object, key);
      if (this.next() !== COLON) throw this.unexpected('":" after a key');
      this.at += 1;
      this.path[this.depth - 1] = key;
      const value = this.value();
      object[key] = value;
      if (key === 'constructor') this.checkConstructor(value);
      const code = this.next();
      if (code === CLOSE_BRACE) return this.leave(object);
      if (code !== COMMA) throw this.unexpected('"," or "}"');
      this.at += 1;
    }
  }

  array(): Json {
    this.enter();
    const array: Json[] = [];
    if (this.next() === CLOSE_BRACKET) return this.leave(array);
    for (;;) {
      if (this.depth === 1) this.keys = 0;
      else this.count();
      this.path[this.depth - 1] = array.length;
      array.push(this.value());
      const code = this.next();
      if (code === CLOSE_BRACKET) return this.leave(array);
      if (code !== COMMA) throw this.unexpected('"," or "]"');
      this.at += 1;
    }
  }

  enter(): void {
    this.at += 1;
    this.depth += 1;
    if (this.depth > this.caps.depth) {
      throw unreadable('too_deep', `the JSON has more than ${this.caps.depth} levels: flatten it`);
    }
  }

  leave(container: Json): Json {
    this.at += 1;
    this.depth -= 1;
    return container;
  }

  /** One more key or element; those of a batch itself are for its reader to count. */
  count(): void {
    this.keys += 1;
    if (this.keys > this.caps.keys) {
      const detail = `the JSON has more than ${this.caps.keys} keys and array elements`;
      throw unreadable('too_many_keys', detail);
    }
  }

  checkKey(object: { readonly [key: string]: Json }, key: string): void {
    this.count();
    if (key === '__proto__') throw this.forbidden(key);
    if (object[key] !== undefined) {
      const shown = JSON.stringify(key.slice(0, limits.echoedCharacters));
      throw unreadable(
        'duplicate_key',
        `the key ${shown} is there twice: keep one`,
        this.pointer(key),
      );
    }
  }

  checkConstructor(value: Json): void {
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')) {
      throw this.forbidden('constructor');
    }
  }

  forbidden(key: string): HubError {
    const detail = `the key "${key}" is refused: it reaches for a prototype`;
    return unreadable('forbidden_key', detail, this.pointer(key));
  }

  /** The pointer to a member of the object being read. */
  pointer(key: string): string {
    return jsonPointer([...this.path.slice(0, this.depth - 1), key]);
  }

  string(): string {
    const text = this.text;
    const start = this.at + 1;
    let at = start;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.at = at + 1;
        return text.slice(start, at);
      }
      if (code === BACKSLASH) return this.escapedString(start, at);
      if (!(code >= SPACE)) throw this.brokenString(at);
      at += 1;
    }
  }

  /** Finds the end of the string and leaves the escapes to the engine's own parser. */
  escapedString(start: number, firstEscape: number): string {
    const text = this.text;
    let at = firstEscape;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (!(code >= SPACE)) throw this.brokenString(at);
      at += code === BACKSLASH ? 2 : 1;
    }
    this.at = at + 1;
    try {
      return JSON.parse(text.slice(start - 1, at + 1));
    } catch {
      throw unreadable('invalid_json', `there is a broken escape in the string at ${start - 1}`);
    }
  }

  brokenString(at: number): HubError {
    this.at = at;
    return this.unexpected('a character of a string (control characters are written as \\u00XX)');
  }

  word(word: string, value: Json): Json {
    if (!this.text.startsWith(word, this.at)) throw this.unexpected('a JSON value');
    this.at += word.length;
    return value;
  }

  /**
   * Up to 15 digits without an exponent are read in place: digits and power of
   * ten are exact in a double, so one division rounds just once, as it must.
   */
  number(): Json {
    const text = this.text;
    const start = this.at;
    const negative = text.charCodeAt(start) === MINUS;
    const first = negative ? start + 1 : start;
    let at = first;
    let code = text.charCodeAt(at);
    let mantissa = 0;
    while (code >= ZERO && code <= NINE) {
      mantissa = mantissa * 10 + (code - ZERO);
      at += 1;
      code = text.charCodeAt(at);
    }
    if (at === first) throw this.brokenNumber(at);
    if (at > first + 1 && text.charCodeAt(first) === ZERO) throw this.brokenNumber(first + 1);
    let digits = at - first;
    let decimals = 0;
    if (code === DOT) {
      at += 1;
      const point = at;
      code = text.charCodeAt(at);
      while (code >= ZERO && code <= NINE) {
        mantissa = mantissa * 10 + (code - ZERO);
        at += 1;
        code = text.charCodeAt(at);
      }
      decimals = at - point;
      if (decimals === 0) throw this.brokenNumber(at);
      digits += decimals;
    }
    this.at = at;
    const power = powersOfTen[decimals];
    if (code === LOWER_E || code === UPPER_E || digits > EXACT_DIGITS || power === undefined) {
      return this.longNumber(start);
    }
    const value = decimals === 0 ? mantissa : mantissa / power;
    return negative ? -value : value;
  }

  /** The rest of a number that has an exponent or many digits. */
  longNumber(start: number): Json {
    const text = this.text;
    let at = this.at;
    let code = text.charCodeAt(at);
    if (code === LOWER_E || code === UPPER_E) {
      at += 1;
      code = text.charCodeAt(at);
      if (code === PLUS || code === MINUS) at += 1;
      const first = at;
      code = text.charCodeAt(at);
      while (code >= ZERO && code <= NINE) {
        at += 1;
        code = text.charCodeAt(at);
      }
      if (at === first) throw this.brokenNumber(at);
    }
    this.at = at;
    const source = text.slice(start, at);
    return survivesDouble(source) ? Number(source) : new InexactNumber(source);
  }

  brokenNumber(at: number): HubError {
    this.at = at;
    return this.unexpected('a number as JSON writes it, such as 0.5');
  }

  unexpected(expected: string): HubError {
    const found = characterAt(this.text, this.at);
    const detail = `found ${found} at character ${this.at}, expected ${expected}`;
    return unreadable('invalid_json', detail);
  }
}
