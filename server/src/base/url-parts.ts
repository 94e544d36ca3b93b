import type { HubError } from './errors.ts';

/** Makes the error of what is wrong with a URL, without the URL itself, which may hold a password. */
export type Unusable = (problem: string) => HubError;

/** Percent-decoded. Throws what `unusable` makes for a percent sign that encodes nothing. */
export function decodedPart(text: string, unusable: Unusable): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unusable('it has a "%" that begins no percent-encoding: write %25');
  }
}

/** Throws what `unusable` makes for a parameter that is none of the `known`. */
export function refuseUnknownParameters(
  asked: URLSearchParams,
  known: readonly string[],
  unusable: Unusable,
): void {
  const unknown = [...asked.keys()].find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw unusable(`it has the parameter "${unknown}"; known: ${known.join(', ')}`);
}
