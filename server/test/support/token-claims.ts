import type { TokenSettings } from '../../src/auth/tokens/token-settings.ts';

/** When the tokens of the tests are looked at. */
export const tokensNow = Date.UTC(2026, 10, 26, 12);

/** In seconds, as it stands in tokens. */
export const nowS = tokensNow / 1_000;

export const tokenSettings: Omit<TokenSettings, 'keys'> = {
  issuer: 'https://issuer.example/shop',
  audience: 'https://hub.example',
  algorithms: new Set(['RS256', 'ES256', 'EdDSA']),
  scopesClaim: 'scope',
  rolesClaim: 'roles',
};

/** Claims that are good for an hour; undefined takes one away. */
export function goodClaims(changes: Readonly<Record<string, unknown>> = {}) {
  return {
    iss: tokenSettings.issuer,
    aud: tokenSettings.audience,
    sub: 'till-7',
    iat: nowS,
    exp: nowS + 3_600,
    scope: 'events:write',
    ...changes,
  };
}
