import { HubError } from '../../base/errors.ts';
import { decodeUtf8, isJsonObject, type JsonObject, parseJson } from '../../base/json.ts';
import { RefusedToken } from './refused-token.ts';

/** Header, payload and signature in base64url without padding; the signature may be missing from what is refused. */
const threeParts = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/** Looks like a JWT (three base64url parts), whether it is a good one or not. */
export function looksLikeToken(text: string): boolean {
  return threeParts.test(text);
}

/** The header of a token in the one form that there is of it. Throws RefusedToken. */
export function readTokenHeader(token: string): JsonObject {
  if (!looksLikeToken(token)) throw new RefusedToken('it has not the three parts of a JWT');
  const parts = token.split('.').map(decodePart);
  const [header, , signature] = parts;
  if (header === undefined || signature?.length === 0) throw new RefusedToken('it is not signed');
  return readObject('header', header);
}

/** A header or a payload. Repeated keys are refused: two readers might take different ones. Throws RefusedToken. */
export function readObject(part: 'header' | 'payload', bytes: Uint8Array): JsonObject {
  try {
    const value = parseJson(decodeUtf8(bytes));
    if (isJsonObject(value)) return value;
  } catch (reason) {
    const fault = HubError.from(reason).details[0]?.code ?? 'unknown';
    throw new RefusedToken(`its ${part} cannot be read: ${fault}`);
  }
  throw new RefusedToken(`its ${part} is no JSON object`);
}

/**
 * The last character of base64url may carry bits that no byte takes. With them
 * a token would have many spellings, so they must be zero.
 */
function decodePart(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw new RefusedToken('its base64url is not exact');
  return bytes;
}
