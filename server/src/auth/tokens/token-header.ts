import type { JsonObject } from '../../base/json.ts';
import { RefusedToken } from './refused-token.ts';

/** What a token says of its signature, all of it unproven. */
export interface TokenHeader<Algorithm extends string = string> {
  readonly algorithm: Algorithm;
  readonly keyId: string | undefined;
}

/** Throws RefusedToken for an algorithm that was not asked for, and for what would let a token choose how it is checked. */
export function checkTokenHeader<Algorithm extends string>(
  header: JsonObject,
  algorithms: ReadonlySet<Algorithm>,
): TokenHeader<Algorithm> {
  for (const name of refusedParameters) {
    if (name in header) throw new RefusedToken(`its header has ${name}`);
  }
  const { alg, kid, typ, cty } = header;
  const algorithm = [...algorithms].find((name) => name === alg);
  if (algorithm === undefined) throw new RefusedToken('its algorithm is not allowed');
  if (typ !== undefined && !(typeof typ === 'string' && types.has(typ.toLowerCase()))) {
    throw new RefusedToken('its type is not that of an access token');
  }
  if (cty !== undefined) throw new RefusedToken('its content is no set of claims');
  if (kid !== undefined && typeof kid !== 'string') throw new RefusedToken('its kid is no text');
  return { algorithm, keyId: kid };
}

/**
 * Extensions that must be understood, keys and addresses of keys that the
 * token brings itself, and what belongs to encrypted and unencoded ones.
 */
const refusedParameters = ['crit', 'jku', 'jwk', 'x5u', 'x5c', 'b64', 'enc', 'zip'] as const;

/** Media types do not tell upper from lower case, and `application/` may be left out (RFC 7515, 4.1.9). */
const types: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt']);
