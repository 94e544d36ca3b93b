import { HubError } from '../../base/errors.ts';

/**
 * The texts of a JSON array's elements, one by one, so that a long batch is
 * parsed in slices. Only brackets, commas and strings are looked at: what
 * lies between is for the parser to judge. Throws `unreadable` for an array
 * that is not closed, or is followed by something.
 */
export function* elementsOf(text: string): Generator<string> {
  let at = text.indexOf('[') + 1;
  let start = at;
  let depth = 0;
  let empty = true;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === openBrace || code === openBracket) depth += 1;
    else if (code === comma && depth === 0) {
      yield text.slice(start, at);
      start = at + 1;
      empty = false;
    } else if (code === closeBrace || code === closeBracket) {
      if (depth === 0) break;
      depth -= 1;
    } else if (at >= text.length) throw broken('is not closed: the body was cut off');
    at += 1;
  }
  if (text.charCodeAt(at) !== closeBracket) throw broken('ends in "}": close it with "]"');
  const last = text.slice(start, at);
  if (!empty || !isBlank(last)) yield last;
  if (!isBlank(text.slice(at + 1))) throw broken('is followed by something: send one array');
}

function endOfString(text: string, opening: number): number {
  let at = opening;
  for (;;) {
    at = text.indexOf('"', at + 1);
    if (at === -1) throw broken('is not closed: the body was cut off in a string');
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === backslash) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
}

function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text);
}

function broken(fault: string): HubError {
  return new HubError('unreadable', `the JSON array ${fault}`);
}

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
