import { resolve } from 'node:path';
import type { TokenKeysPlace, TokenSettings } from '../auth/tokens/token-settings.ts';
import { unsafeUrl } from '../base/safe-url.ts';
import type { ParsedSettings } from './schema.ts';

type Given = ParsedSettings['auth'];

/** A setting that does not go with the others, and why. */
interface TokenFault {
  readonly faultOf: keyof Given;
  readonly fault: string;
}

/** `tokens` is undefined when none are taken. */
export function resolveTokenSettings(
  given: Given,
  folder: string,
): { readonly tokens: TokenSettings | undefined } | TokenFault {
  const { issuer, audience, algorithms, scopesClaim, rolesClaim } = given;
  const needing = (['secret', 'jwks', 'audience'] as const).find(
    (name) => given[name] !== undefined,
  );
  if (issuer === undefined) {
    if (needing === undefined) return { tokens: undefined };
    return { faultOf: needing, fault: 'needs the issuer of the tokens beside it: set auth.issuer' };
  }
  if (audience === undefined) {
    return {
      faultOf: 'issuer',
      fault:
        'needs the audience of the tokens beside it, or tokens for others would be taken: set auth.audience',
    };
  }
  const keys = resolveKeysPlace(given, issuer, folder);
  if ('fault' in keys) return keys;
  return { tokens: { issuer, audience, keys, algorithms, scopesClaim, rolesClaim } };
}

function resolveKeysPlace(
  { secret, jwks }: Given,
  issuer: string,
  folder: string,
): TokenKeysPlace | TokenFault {
  if (secret !== undefined && jwks !== undefined) {
    return {
      faultOf: 'secret',
      fault: 'does not go with auth.jwks: tokens are signed with a secret or with keys, keep one',
    };
  }
  if (secret !== undefined) return { kind: 'secret', secret };
  if (jwks === undefined) {
    const fault = unsafeUrl(issuer);
    if (fault === undefined) return { kind: 'discovery' };
    return { faultOf: 'issuer', fault: `cannot be asked for its keys: ${fault}; or set auth.jwks` };
  }
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(jwks)) return { kind: 'file', path: resolve(folder, jwks) };
  const fault = unsafeUrl(jwks);
  return fault === undefined ? { kind: 'url', url: jwks } : { faultOf: 'jwks', fault };
}
