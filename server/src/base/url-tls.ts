import { readFileSync } from 'node:fs';
import type { Unusable } from './url-parts.ts';

/** PEM texts; without `ca` the system's certificates are trusted, without the others none is shown. */
export interface UrlTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** The parameters of an engine's URL that name files: certificates to trust, and one to show with its key. */
export const tlsParameters = ['ca', 'cert', 'key'] as const;

export interface UrlTlsOptions {
  /** Of the URL. */
  readonly scheme: string;
  /** The one that means TLS. */
  readonly secureScheme: string;
  readonly unusable: Unusable;
}

/** What an engine's URL says of TLS; undefined without it. Throws what `unusable` makes. */
export function tlsOfUrl(
  asked: URLSearchParams,
  { scheme, secureScheme, unusable }: UrlTlsOptions,
): UrlTls | undefined {
  if (scheme !== secureScheme) {
    const idle = tlsParameters.find((name) => asked.has(name));
    if (idle === undefined) return undefined;
    throw unusable(`?${idle}= is for ${secureScheme}://, a connection by TLS`);
  }
  const [ca, cert, key] = tlsParameters.map((name) => readPem(name, asked.get(name), unusable));
  if ((cert === undefined) !== (key === undefined)) {
    throw unusable('?cert= and ?key= go together');
  }
  return { ca, cert, key };
}

function readPem(name: string, file: string | null, unusable: Unusable): string | undefined {
  if (file === null) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : String(reason);
    throw unusable(`the file of ?${name}= cannot be read (${why})`);
  }
}
