import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Logger } from '../../base/logger.ts';
import { failureLog } from '../../base/request-id.ts';
import type { Telemetry } from '../../base/telemetry.ts';
import type { Cors } from './cors.ts';
import type { Exchange, Handler } from './http-server.ts';
import { type ProblemOptions, writeProblem } from './problem.ts';
import { requestIdOf } from './request-id.ts';
import { type Route, type Router, tooLong } from './router.ts';

export interface DispatcherOptions {
  readonly router: Router;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  /** Which other origins may ask; absent where none may. */
  readonly cors: Cors | undefined;
}

/** Finds the handler of each request, and makes a problem document of what it throws. */
export function createDispatcher(options: DispatcherOptions) {
  const { router, clock, logger, telemetry, cors } = options;

  const run = async (exchange: Exchange, route: Route, handler: Handler): Promise<void> => {
    try {
      await handler(exchange);
      count(exchange, route.pattern);
    } catch (reason) {
      refuse(exchange, route.pattern, HubError.from(reason));
    } finally {
      exchange.release?.();
    }
  };

  const refuse = (
    exchange: Exchange,
    pattern: string,
    error: HubError,
    how: ProblemOptions = {},
  ) => {
    const { request, response } = exchange;
    if (error.code === 'internal') {
      failureLog(logger, () => requestIdOf(request), exchange.trace).error(
        { err: error.cause ?? error, route: pattern },
        error.message,
      );
    }
    if (response.headersSent) response.destroy();
    else if (!request.socket.destroyed) writeProblem(request, response, clock, error, how);
    count(exchange, pattern);
  };

  const count = ({ request, response }: Exchange, pattern: string) =>
    telemetry.countRequest(knownMethod(request.method), pattern, response.statusCode);

  return (request: IncomingMessage, response: ServerResponse): void => {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark === -1 ? url : url.slice(0, mark);
    const query = mark === -1 ? '' : url.slice(mark + 1);
    const exchange: Mutable<Exchange> = {
      request,
      response,
      clock,
      path,
      query,
      parameter: '',
      release: undefined,
      trace: undefined,
    };
    let route = router.literal(path);
    if (request.rawHeaders.length > limits.headerCount * 2) {
      const error = new HubError('too_large', `more than ${limits.headerCount} headers`);
      refuse(exchange, unmatched, error, { status: 431 });
      return;
    }
    try {
      refuseOddHeads(request, url);
      if (route === undefined) {
        const found = router.find(withoutOrigin(path));
        route = found.route;
        exchange.parameter = found.parameter;
      }
    } catch (reason) {
      refuse(exchange, unmatched, HubError.from(reason));
      return;
    }
    const handler = handlerOf(route, request.method);
    if (handler !== undefined) void run(exchange, route, handler);
    else if (cors !== undefined && isPreflight(request)) {
      void run(exchange, route, ({ response }) => answerPreflight(cors, route, request, response));
    } else {
      const error = new HubError('method_not_allowed', `only ${route.allow} may be used here`);
      refuse(exchange, route.pattern, error, { headers: { allow: route.allow } });
    }
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The label of what matched no route. */
const unmatched = 'none';

/** A proxy's absolute form without its scheme and host. */
export function withoutOrigin(path: string): string {
  return path.startsWith('/') ? path : path.replace(/^https?:\/\/[^/]*/i, '');
}

/** Throws for a request that is well framed and still no good HTTP. */
function refuseOddHeads(request: IncomingMessage, url: string): void {
  if (url.length > limits.urlBytes) throw tooLong();
  if (request.headers.host === undefined && request.httpVersionMinor > 0) {
    throw new HubError('unreadable', 'the request has no header Host');
  }
}

function handlerOf(route: Route, method: string | undefined): Handler | undefined {
  if (method === 'POST') return route.post;
  if (method === 'PUT') return route.put;
  return method === 'GET' || method === 'HEAD' ? route.get : undefined;
}

/** A browser's question whether a page of another origin may send a request. */
function isPreflight({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}

function answerPreflight(
  cors: Cors,
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (!cors.allows(request.headers.origin ?? '')) {
    throw new HubError('forbidden', 'pages of this origin may not ask: see http.corsOrigins');
  }
  response.writeHead(204, cors.preflightHeaders(route.allow));
  response.end();
}

function knownMethod(method: string | undefined): string {
  const known = method === 'POST' || method === 'GET' || method === 'HEAD' || method === 'PUT';
  return known ? method : 'other';
}
