import { crc32 } from 'node:zlib';
import type { Event } from './event.ts';

/**
 * 8 hex digits over an event's unchanging content, for positions. Leaves the
 * times out: a duplicate then has the fingerprint of its first.
 */
export function fingerprintOf(event: Event): string {
  return fingerprintOfText(
    `${event.id}\n${event.userId}\n${event.eventType}\n${event.amount}\n${event.currency}`,
  );
}

/** The same over any text, for an entry that is no event: the CRC-32 of its UTF-8. */
export function fingerprintOfText(text: string): string {
  return hexOf(crc32OfAscii(text) ?? crc32(text));
}

/** The 8 digits of 32 bits: `toString(16)` takes fifteen times as long, as most of them are no small integer to V8. */
function hexOf(bits: number): string {
  const upper = `${hexBytes[bits >>> 24]}${hexBytes[(bits >>> 16) & 0xff]}`;
  return `${upper}${hexBytes[(bits >>> 8) & 0xff]}${hexBytes[bits & 0xff]}`;
}

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Undefined for other text. Every event has one: for a text this short the way out of JavaScript costs most. */
function crc32OfAscii(text: string): number | undefined {
  let rest = -1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x80) return undefined;
    rest = (rest >>> 8) ^ (table[(rest ^ code) & 0xff] ?? 0);
  }
  return ~rest >>> 0;
}

/** By the lowest byte (RFC 1952, section 8). */
const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});
