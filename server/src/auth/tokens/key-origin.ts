import { readFile } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import { decodeUtf8, isJsonObject, parseJson } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import { unsafeUrl } from '../../base/safe-url.ts';
import { fetchIssuerDocument } from './issuer-document.ts';
import type { TokenKeysPlace, TokenSettings } from './token-settings.ts';

/** Where the issuer's key set is, and how often it is worth a look there. */
export interface KeyOrigin {
  /** For the log: an address or a path. */
  readonly name: string;
  readonly freshMs: number;
  /** Between two looks for a key that is not there. */
  readonly cooldownMs: number;
  /** The text of the key set as it is there now. Rejects when it cannot be had. */
  load(signal: AbortSignal): Promise<Uint8Array>;
}

export type PublicKeysPlace = Exclude<TokenKeysPlace, { readonly kind: 'secret' }>;

export function keyOrigin(
  { issuer }: Pick<TokenSettings, 'issuer'>,
  place: PublicKeysPlace,
  clock: Clock,
): KeyOrigin {
  if (place.kind === 'file') return fileOrigin(place.path);
  const online = { freshMs: limits.issuerKeysFreshMs, cooldownMs: limits.issuerKeysCooldownMs };
  if (place.kind === 'url') {
    const { url } = place;
    return { ...online, name: url, load: (signal) => fetchIssuerDocument(url, { clock, signal }) };
  }
  return {
    ...online,
    name: discoveryUrl(issuer),
    load: async (signal) => {
      const url = await discoverKeys(issuer, { clock, signal });
      return fetchIssuerDocument(url, { clock, signal });
    },
  };
}

function fileOrigin(path: string): KeyOrigin {
  return {
    name: path,
    freshMs: limits.issuerKeysFileMs,
    cooldownMs: limits.issuerKeysFileMs,
    load: async (signal) => await readFile(path, { signal }),
  };
}

/** As OpenID Connect Discovery 1.0 puts it together: a slash at the issuer's end is left out. */
function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** Where the issuer says that its keys are. Rejects when the document is another issuer's, or leads to a place that is not safe. */
async function discoverKeys(
  issuer: string,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<string> {
  const url = discoveryUrl(issuer);
  const document = parseJson(decodeUtf8(await fetchIssuerDocument(url, options)));
  if (!isJsonObject(document)) throw new Error(`${url} is no JSON object`);
  if (document.issuer !== issuer) throw new Error(`${url} is of another issuer than ${issuer}`);
  const { jwks_uri: keys } = document;
  if (typeof keys !== 'string') throw new Error(`${url} names no jwks_uri`);
  const fault = unsafeUrl(keys);
  if (fault !== undefined) throw new Error(`${url} names a jwks_uri that is not used: ${fault}`);
  return keys;
}
