/** What the hub needs to know of the one issuer whose tokens it takes. */
export interface TokenSettings {
  /** The `iss` of every token, character by character. */
  readonly issuer: string;
  /** What the `aud` of every token is or contains. */
  readonly audience: string;
  readonly keys: TokenKeysPlace;
  /** Of those with public keys; a secret goes with HS256 alone. */
  readonly algorithms: ReadonlySet<TokenAlgorithm>;
  /** The name of a claim, or the path to it with dots. */
  readonly scopesClaim: string;
  readonly rolesClaim: string;
}

/** Where what a signature is checked with comes from. */
export type TokenKeysPlace =
  | { readonly kind: 'discovery' }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'secret'; readonly secret: string };

/** With public keys. The curve of ES256 is P-256, that of EdDSA Ed25519. */
export const tokenAlgorithms = ['RS256', 'ES256', 'EdDSA'] as const;
export type TokenAlgorithm = (typeof tokenAlgorithms)[number];
