import type { IncomingMessage } from 'node:http';

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

/** The bare token of `Authorization: Bearer <token>`. */
export function credentialOf(request: IncomingMessage): string | undefined {
  const value = request.headers.authorization;
  if (value === undefined) return undefined;
  return /^Bearer +([^ ]+)$/i.exec(value)?.[1];
}

const none: readonly string[] = [];
