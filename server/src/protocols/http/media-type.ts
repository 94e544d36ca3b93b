import type { IncomingMessage } from 'node:http';
import { HubError } from '../../base/errors.ts';
import { headerValues } from './request-header.ts';

/**
 * The body's media type, one of `accepted` (the first is what the answer to a
 * wrong one recommends). Strict on purpose: a type that is only nearly right
 * must not reach a parser. Throws `unsupported_media_type`, naming the header
 * to add.
 */
export function mediaTypeOf<Type extends string>(
  request: IncomingMessage,
  accepted: readonly [Type, ...Type[]],
): Type {
  const values = headerValues(request, 'content-type');
  const value = values[0];
  if (values.length === 1 && value !== undefined) {
    for (const type of accepted) if (value === type || isUtf8(value, type)) return type;
  }
  throw unsupported(values, accepted);
}

/** `type`, or `type; charset=utf-8` in the spellings that RFC 9110 gives. */
function isUtf8(value: string, type: string): boolean {
  const lower = value.toLowerCase();
  if (!lower.startsWith(type)) return false;
  return /^(?: *; *charset=(?:utf-8|"utf-8"))?$/.test(lower.slice(type.length));
}

function unsupported(values: readonly string[], accepted: readonly [string, ...string[]]) {
  const others = accepted.slice(1).map((type) => `, or ${type}`);
  const advice = `add the header "Content-Type: ${accepted[0]}"${others.join('')}, in UTF-8`;
  if (values.length === 0) {
    return new HubError('unsupported_media_type', `the request names no media type: ${advice}`);
  }
  if (values.length > 1) {
    return new HubError('unsupported_media_type', `Content-Type came more than once: ${advice}`);
  }
  return new HubError('unsupported_media_type', `the media type is not taken here: ${advice}`);
}
