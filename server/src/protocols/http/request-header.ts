import type { IncomingMessage } from 'node:http';
import { HubError } from '../../base/errors.ts';
import type { Presented } from '../../hub.ts';

/**
 * Every value a header was sent with, in order. Node joins or drops repeated
 * headers in `request.headers`; what must be there once is checked here.
 */
export function headerValues(request: IncomingMessage, lowerCaseName: string): readonly string[] {
  const raw = request.rawHeaders;
  let found: string[] | undefined;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at];
    if (name?.length !== lowerCaseName.length || name.toLowerCase() !== lowerCaseName) continue;
    const value = raw[at + 1] ?? '';
    if (found === undefined) found = [value];
    else found.push(value);
  }
  return found ?? none;
}

/** What `Authorization` and `X-API-Key` carry. Throws `unreadable` when one of them came more than once. */
export function presentedBy(request: IncomingMessage): Presented {
  const { headers } = request;
  if (headers.authorization === undefined && headers['x-api-key'] === undefined) return nothing;
  return {
    bearer: bearerOf(onceOnly(request, 'authorization')),
    apiKey: onceOnly(request, 'x-api-key'),
  };
}

/** The bare credential of `Bearer <credential>`. */
export function bearerOf(value: string | undefined): string | undefined {
  return value === undefined ? undefined : /^Bearer +([^ ]+)$/i.exec(value)?.[1];
}

function onceOnly(request: IncomingMessage, lowerCaseName: string): string | undefined {
  const [value, ...others] = headerValues(request, lowerCaseName);
  if (others.length === 0) return value;
  throw new HubError('unreadable', `${lowerCaseName} came more than once: send it once`);
}

const nothing: Presented = { bearer: undefined, apiKey: undefined };

const none: readonly string[] = [];
