import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** What signs tokens in tests, in every form that a token may have, good or bad. */
export interface SigningKey {
  readonly algorithm: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  /** As it stands in the issuer's key set. */
  readonly jwk: Readonly<Record<string, unknown>>;
  signature(text: string): Buffer;
}

const generated = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  weak: () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  secp256k1: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
} as const;

/** Without a `kid` it has none. */
export function signingKey(kind: keyof typeof generated, kid?: string): SigningKey {
  const { publicKey, privateKey } = generated[kind]();
  const jwk = publicKey.export({ format: 'jwk' });
  return {
    algorithm: kind === 'weak' ? 'RS256' : kind === 'secp256k1' ? 'ES256' : kind,
    publicKey,
    privateKey,
    jwk: kid === undefined ? jwk : { ...jwk, kid },
    signature: (text) =>
      sign(kind === 'EdDSA' ? null : 'sha256', Buffer.from(text), {
        key: privateKey,
        dsaEncoding: 'ieee-p1363',
      }),
  };
}

export function base64url(text: string | Uint8Array): string {
  return Buffer.from(text).toString('base64url');
}

/** Header and payload as they are given, signed by whatever gives a signature. */
export function assembleToken(
  header: string,
  payload: string | Uint8Array,
  signature: (text: string) => Uint8Array,
): string {
  const text = `${base64url(header)}.${base64url(payload)}`;
  return `${text}.${base64url(signature(text))}`;
}

/** A well-made token; `header` comes over the members that belong there, and undefined takes one away. */
export function signToken(
  key: SigningKey,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): string {
  const whole = { alg: key.algorithm, kid: key.jwk.kid, typ: 'at+jwt', ...header };
  return assembleToken(JSON.stringify(whole), JSON.stringify(claims), key.signature);
}

export function signWithSecret(
  secret: string | Uint8Array,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): string {
  return assembleToken(
    JSON.stringify({ alg: 'HS256', ...header }),
    JSON.stringify(claims),
    (text) => createHmac('sha256', secret).update(text).digest(),
  );
}
