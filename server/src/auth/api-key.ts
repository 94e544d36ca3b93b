import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * `eh_live_ID_SECRET_CHECK`: what secret scanners find by its beginning, an id
 * to look it up by, 256 random bits, and a checksum, so that a mistyped key is
 * refused before anything is looked up.
 */
const prefix = 'eh_live_';
const idCharacters = 8;
const secretCharacters = 43;
const checkCharacters = 6;
const shape = new RegExp(
  `^${prefix}([0-9A-Za-z]{${idCharacters}})_[0-9A-Za-z]{${secretCharacters}}_([0-9A-Za-z]{${checkCharacters}})$`,
);

export interface NewApiKey {
  /** Public: names the key in lists and audit lines. */
  readonly id: string;
  /** Shown once, to whom it was made for. */
  readonly text: string;
  /** What is kept of it. */
  readonly hash: string;
}

export function newApiKey(): NewApiKey {
  const id = base62(randomBytes(8), idCharacters);
  const body = `${prefix}${id}_${base62(randomBytes(32), secretCharacters)}`;
  const text = `${body}_${checkOf(body)}`;
  return { id, text, hash: hashOfApiKey(text) };
}

/** Whether it begins like one of ours, whole or not. */
export function isApiKey(credential: string): boolean {
  return credential.startsWith(prefix);
}

/** The id of a key that was not mistyped; undefined for anything else. */
export function idOfApiKey(text: string): string | undefined {
  const [, id, check] = shape.exec(text) ?? [];
  if (id === undefined) return undefined;
  return checkOf(text.slice(0, -checkCharacters - 1)) === check ? id : undefined;
}

/** A quick hash does: nobody guesses 256 random bits. */
export function hashOfApiKey(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** In a time that does not tell how much is alike. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function checkOf(body: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return base62(bytes, checkCharacters);
}

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The lowest so many digits, with zeros in front. */
function base62(bytes: Buffer, length: number): string {
  let value = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  while (text.length < length) {
    text = digits.charAt(Number(value % 62n)) + text;
    value /= 62n;
  }
  return text;
}
