import { nearestName } from '../base/nearest-name.ts';

/** `; did you mean ...?`, or nothing. What all names begin with says nothing of how near they are. */
export function suggestion(name: string, known: Iterable<string>, prefix = ''): string {
  const rest = (text: string) => (text.startsWith(prefix) ? text.slice(prefix.length) : text);
  const nearest = nearestName(rest(name), Array.from(known, rest));
  return nearest === undefined ? '' : `; did you mean ${prefix}${nearest}?`;
}
