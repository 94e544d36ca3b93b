import type { Instant } from '../../base/clock.ts';
import { isJsonArray, type Json, type JsonObject } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import { RefusedToken } from './refused-token.ts';
import { readScopes } from './token-scopes.ts';
import type { TokenSettings } from './token-settings.ts';
import type { VerifiedToken } from './verified-token.ts';

type Expected = Pick<TokenSettings, 'issuer' | 'audience' | 'scopesClaim' | 'rolesClaim'>;

/** What the claims of a token with a good signature amount to at this time. Throws RefusedToken. */
export function checkTokenClaims(
  claims: JsonObject,
  expected: Expected,
  now: Instant,
): VerifiedToken {
  if (claims.iss !== expected.issuer) throw new RefusedToken('it is from another issuer');
  if (!isFor(claims.aud, expected.audience)) throw new RefusedToken('it is for another audience');
  const expiresAt = time(claims, 'exp');
  if (expiresAt === undefined) throw new RefusedToken('it has no exp');
  const expiresAtMs = expiresAt + limits.tokenSkewMs;
  if (now >= expiresAtMs) throw new RefusedToken('it has expired');
  for (const name of ['nbf', 'iat'] as const) {
    const startsAt = time(claims, name);
    if (startsAt !== undefined && now < startsAt - limits.tokenSkewMs) {
      throw new RefusedToken(`its ${name} lies ahead`);
    }
  }
  // Proof of a key is not asked for here, and without it the token is not its bearer's (RFC 7800).
  if (claims.cnf !== undefined) throw new RefusedToken('it is bound to a key');
  return {
    ...bearer(claims),
    issuer: expected.issuer,
    scopes: readScopes(claims, expected),
    expiresAtMs,
  };
}

function isFor(audience: Json | undefined, expected: string): boolean {
  if (!isJsonArray(audience)) return audience === expected;
  return audience.every((each) => typeof each === 'string') && audience.includes(expected);
}

/** Whole seconds since the epoch, as milliseconds. Times beyond the year 9999 are none: most are milliseconds. */
function time(claims: JsonObject, name: 'exp' | 'nbf' | 'iat'): Instant | undefined {
  const seconds = claims[name];
  if (seconds === undefined) return undefined;
  if (typeof seconds !== 'number' || !Number.isInteger(seconds)) {
    throw new RefusedToken(`its ${name} is no whole number`);
  }
  if (seconds < 0 || seconds > lastSecond) throw new RefusedToken(`its ${name} is no time`);
  return seconds * 1_000;
}

/** 9999-12-31T23:59:59Z. */
const lastSecond = 253_402_300_799;

/** Some issuers leave `sub` out where a program and no person asks; the client then stands for it. */
function bearer(claims: JsonObject): Pick<VerifiedToken, 'subject' | 'name'> {
  const client = text(claims, 'client_id') ?? text(claims, 'azp');
  const subject = text(claims, 'sub') ?? client;
  if (subject === undefined) throw new RefusedToken('it does not say whose it is');
  return { subject, name: client ?? subject };
}

function text(claims: JsonObject, name: 'sub' | 'client_id' | 'azp'): string | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !printable.test(value)) {
    throw new RefusedToken(`its ${name} is no name`);
  }
  return value;
}

/** Well-formed text that stands in one line of a log. */
const printable = new RegExp(
  `^[^\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}]{1,${limits.tokenNameCharacters}}$`,
  'u',
);
