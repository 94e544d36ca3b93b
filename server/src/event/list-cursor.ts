import { type HubError, invalid } from '../base/errors.ts';
import { fingerprintOfText } from './fingerprint.ts';

/**
 * The opaque cursor of a place in a listing. It begins with a character that no
 * position has, so that the two are never taken for one another, and ends with
 * a checksum, so that a mangled one is refused instead of skipping events.
 */
export function encodeListCursor(listKey: string): string {
  return `${PREFIX}${Buffer.from(listKey).toString('base64url')}.${fingerprintOfText(listKey)}`;
}

/**
 * The place that a cursor stands for, undefined without one. Throws `invalid` for anything but a
 * cursor of the hub; `isPosition` lets it say where positions are taken.
 */
export function decodeListCursor(
  cursor: unknown,
  isPosition: (text: string) => boolean = () => false,
): string | undefined {
  if (cursor === undefined || cursor === null) return undefined;
  if (typeof cursor === 'string' && cursor.startsWith(PREFIX)) {
    const [body = ''] = cursor.slice(PREFIX.length).split('.');
    const listKey = Buffer.from(body, 'base64url').toString();
    if (encodeListCursor(listKey) === cursor) return listKey;
  }
  if (typeof cursor === 'string' && isPosition(cursor)) {
    throw refused('cursor is a position, not a page\'s "next": positions go to /events/stream');
  }
  throw refused('cursor is none that the hub gave out: take a page\'s own "next"');
}

const PREFIX = '~';

function refused(detail: string): HubError {
  return invalid('/cursor', 'invalid_cursor', detail);
}
