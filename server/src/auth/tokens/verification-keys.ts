import type { CryptoKey, JWK } from 'jose';
import {
  decodeUtf8,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  parseJson,
} from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import type { TokenAlgorithm } from './token-settings.ts';

/** A public key of the issuer, for the one algorithm that its kind has here. */
export interface VerificationKey {
  readonly id: string | undefined;
  readonly algorithm: TokenAlgorithm;
  readonly key: CryptoKey;
}

/** What one key set holds for the hub. */
export interface KeySet {
  readonly keys: readonly VerificationKey[];
  /** Why others, which would have been for signatures of these algorithms, are not used. */
  readonly faults: readonly string[];
}

/**
 * The usable keys of a JSON Web Key Set. Keys of other kinds and for other
 * purposes are passed over, as RFC 7517 says; weak and broken ones are faults.
 * Throws when it is no key set.
 */
export async function readKeySet(
  bytes: Uint8Array,
  algorithms: ReadonlySet<TokenAlgorithm>,
): Promise<KeySet> {
  const set = parseJson(decodeUtf8(bytes));
  if (!isJsonObject(set) || !isJsonArray(set.keys)) throw new Error('it is no JSON Web Key Set');
  if (set.keys.length > limits.issuerKeys) {
    throw new Error(`it has more than ${limits.issuerKeys} keys`);
  }
  const keys: VerificationKey[] = [];
  const faults: string[] = [];
  for (const [index, jwk] of set.keys.entries()) {
    const kind = isJsonObject(jwk) ? kinds.find((each) => each.isOf(jwk)) : undefined;
    if (!isJsonObject(jwk) || kind === undefined || !algorithms.has(kind.algorithm)) continue;
    if (!isForSignatures(jwk, kind.algorithm)) continue;
    try {
      keys.push(await importKey(jwk, kind));
    } catch (reason) {
      const why = reason instanceof Error ? reason.message : String(reason);
      faults.push(`key ${index + 1} of ${set.keys.length}: ${why}`);
    }
  }
  return { keys, faults };
}

interface Kind {
  readonly algorithm: TokenAlgorithm;
  readonly isOf: (jwk: JsonObject) => boolean;
  /** All that is taken over: nothing private, and nothing by which a key could say more of itself. */
  readonly members: readonly string[];
}

const kinds: readonly Kind[] = [
  { algorithm: 'RS256', isOf: ({ kty }) => kty === 'RSA', members: ['kty', 'n', 'e'] },
  {
    algorithm: 'ES256',
    isOf: ({ kty, crv }) => kty === 'EC' && crv === 'P-256',
    members: ['kty', 'crv', 'x', 'y'],
  },
  {
    algorithm: 'EdDSA',
    isOf: ({ kty, crv }) => kty === 'OKP' && crv === 'Ed25519',
    members: ['kty', 'crv', 'x'],
  },
];

function isForSignatures(
  { use, alg, key_ops: operations }: JsonObject,
  algorithm: string,
): boolean {
  return (
    (use === undefined || use === 'sig') &&
    (alg === undefined || alg === algorithm) &&
    (operations === undefined || (isJsonArray(operations) && operations.includes('verify')))
  );
}

async function importKey(jwk: JsonObject, kind: Kind): Promise<VerificationKey> {
  const { kid } = jwk;
  if (kid !== undefined && typeof kid !== 'string') throw new Error('its kid is no text');
  const { importJWK } = await import('jose');
  const members = kind.members.map((name) => [name, jwk[name]]);
  const key = await importJWK(Object.fromEntries(members) as JWK, kind.algorithm);
  if (key instanceof Uint8Array) throw new Error('it is no public key');
  const { modulusLength = limits.rsaKeyBits } = key.algorithm as { modulusLength?: number };
  if (modulusLength < limits.rsaKeyBits) {
    throw new Error(`${modulusLength} bits are too weak: at least ${limits.rsaKeyBits}`);
  }
  return { id: kid, algorithm: kind.algorithm, key };
}
