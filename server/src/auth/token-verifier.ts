import type { CryptoKey } from 'jose';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import { refusedCredential } from './caller.ts';
import { IssuerKeys } from './tokens/issuer-keys.ts';
import { keyOrigin } from './tokens/key-origin.ts';
import { RefusedToken } from './tokens/refused-token.ts';
import { checkTokenClaims } from './tokens/token-claims.ts';
import { checkTokenHeader } from './tokens/token-header.ts';
import type { TokenSettings } from './tokens/token-settings.ts';
import { readObject, readTokenHeader } from './tokens/token-text.ts';
import type { VerifiedToken } from './tokens/verified-token.ts';
import { VerifiedTokens } from './tokens/verified-tokens.ts';

export { looksLikeToken } from './tokens/token-text.ts';
export type { VerifiedToken } from './tokens/verified-token.ts';

/** Takes the JSON Web Tokens (RFC 7519, with the care of RFC 8725) of one issuer. */
export interface TokenVerifier {
  /**
   * Rejects with `unauthenticated`, in the same words for every bad token and
   * with the particular reason as its `cause`; with `unavailable` when the
   * issuer's keys cannot be had and there are none from before.
   */
  verify(token: string): Promise<VerifiedToken>;
  close(): Promise<void>;
}

/** Asks nobody for anything before the first token comes. */
export function createTokenVerifier(
  settings: TokenSettings,
  deps: { readonly clock: Clock; readonly logger: Logger },
): TokenVerifier {
  const { clock } = deps;
  const verified = new VerifiedTokens(clock);
  const signatures = signatureCheck(settings, deps);
  return {
    verify: async (text) => {
      try {
        if (text.length > limits.tokenBytes) throw new RefusedToken('it is too long');
        const known = verified.get(text);
        if (known !== undefined) return known;
        const claims = readObject('payload', await signatures.check(text));
        const token = checkTokenClaims(claims, settings, clock.now());
        verified.add(text, token);
        return token;
      } catch (reason) {
        throw reason instanceof RefusedToken ? refusedCredential(reason) : reason;
      }
    },
    close: () => signatures.close(),
  };
}

interface SignatureCheck {
  /** The payload that was signed. Rejects with RefusedToken. */
  check(token: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Either a secret or public keys, never both: a public key must not serve as a secret. */
function signatureCheck(
  settings: TokenSettings,
  deps: { readonly clock: Clock; readonly logger: Logger },
): SignatureCheck {
  if (settings.keys.kind === 'secret') {
    const secret = new TextEncoder().encode(settings.keys.secret);
    return {
      check: async (token) => {
        const { algorithm } = checkTokenHeader(readTokenHeader(token), sharedSecretAlgorithms);
        return await signedPayload(token, algorithm, secret);
      },
      close: async () => {},
    };
  }
  const origin = keyOrigin(settings, settings.keys, deps.clock);
  const keys = new IssuerKeys(origin, settings.algorithms, deps);
  return {
    check: async (token) => {
      const header = checkTokenHeader(readTokenHeader(token), settings.algorithms);
      const { key } = await keys.find(header);
      return await signedPayload(token, header.algorithm, key);
    },
    close: () => keys.close(),
  };
}

const sharedSecretAlgorithms = new Set(['HS256'] as const);

async function signedPayload(
  token: string,
  algorithm: string,
  key: CryptoKey | Uint8Array,
): Promise<Uint8Array> {
  const { compactVerify, errors } = await import('jose');
  try {
    return (await compactVerify(token, key, { algorithms: [algorithm] })).payload;
  } catch (reason) {
    if (!(reason instanceof errors.JOSEError)) throw reason;
    throw new RefusedToken(`its signature does not hold: ${reason.code}`);
  }
}
