import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Handler, Method } from './http-server.ts';

/** One path and what may be done there. */
export interface Route {
  /** As it was added: `/events/:id`. */
  readonly pattern: string;
  readonly get: Handler | undefined;
  readonly post: Handler | undefined;
  readonly put: Handler | undefined;
  /** For the header `Allow`. */
  readonly allow: string;
}

export interface FoundRoute {
  readonly route: Route;
  /** Percent-decoded; empty on a literal path. */
  readonly parameter: string;
}

export interface Router {
  add(method: Method, pattern: string, handler: Handler): void;
  /** The route of a literal path: one look-up, so that the hot path stays short. */
  literal(path: string): Route | undefined;
  /** Any other path. Throws `not_found`, and `unreadable` where the path cannot be decoded. */
  find(path: string): FoundRoute;
}

interface PrefixRoute {
  readonly prefix: string;
  /** `/*` takes the rest of the path, `:name` one segment. */
  readonly takesRest: boolean;
  route: Route;
}

export function createRouter(): Router {
  const literals = new Map<string, Route>();
  const prefixes: PrefixRoute[] = [];
  return {
    add: (method, pattern, handler) => {
      const parameterAt = pattern.search(/[:*][^/]*$/);
      if (parameterAt === -1) {
        literals.set(pattern, withHandler(literals.get(pattern), method, pattern, handler));
        return;
      }
      const prefix = pattern.slice(0, parameterAt);
      const known = prefixes.find((each) => each.route.pattern === pattern);
      if (known === undefined) {
        const route = withHandler(undefined, method, pattern, handler);
        prefixes.push({ prefix, takesRest: pattern.endsWith('*'), route });
      } else known.route = withHandler(known.route, method, pattern, handler);
    },
    literal: (path) => literals.get(path),
    find: (path) => {
      if (path.length > limits.urlBytes) throw tooLong();
      const parts = path.split('/').slice(1).map(decodeSegment);
      if (!path.startsWith('/') || parts.some((part) => part === '.' || part === '..')) {
        throw nothingHere();
      }
      for (const { prefix, takesRest, route } of prefixes) {
        if (!path.startsWith(prefix) || path.length === prefix.length) continue;
        const taken = parts.slice(prefix.split('/').length - 2);
        if ((!takesRest && taken.length > 1) || taken.includes('')) continue;
        return { route, parameter: taken.join('/') };
      }
      throw nothingHere();
    },
  };
}

export function nothingHere(): HubError {
  return new HubError('not_found', 'there is nothing at this path: GET / names what there is');
}

export function tooLong(): HubError {
  return new HubError('unreadable', `the URL is longer than ${limits.urlBytes} bytes`);
}

function withHandler(
  route: Route | undefined,
  method: Method,
  pattern: string,
  handler: Handler,
): Route {
  const get = method === 'GET' ? handler : route?.get;
  const post = method === 'POST' ? handler : route?.post;
  const put = method === 'PUT' ? handler : route?.put;
  const methods = [
    ...(get === undefined ? [] : ['GET', 'HEAD']),
    ...(post === undefined ? [] : ['POST']),
    ...(put === undefined ? [] : ['PUT']),
  ];
  return { pattern, get, post, put, allow: methods.join(', ') };
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HubError('unreadable', 'the path has a "%" that is no percent-encoded UTF-8');
  }
}
