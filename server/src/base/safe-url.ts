import { isLoopback } from './loopback.ts';

/**
 * What is wrong with a URL that must not be read or changed on its way:
 * `https:`, or `http:` on loopback, without a user. Undefined when nothing is.
 */
export function unsafeUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null) return 'it is no URL';
  if (url.username !== '' || url.password !== '') return 'it must name no user and no password';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol === 'http:' && isLoopback(url.hostname)) return undefined;
  return 'it must start with https: (http: is for loopback only)';
}
