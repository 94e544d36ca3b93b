import type { IncomingMessage } from 'node:http';
import { parseTraceContext, type SpanFacts, type TraceContext } from '../../base/tracing.ts';
import type { ProtocolHost } from '../protocol.ts';
import type { Exchange } from './http-server.ts';

/** What `traceparent` and `tracestate` say of whoever asks; undefined where that is no trace. */
export function traceOf({ headers }: IncomingMessage): TraceContext | undefined {
  return parseTraceContext(headers.traceparent, headers.tracestate);
}

/**
 * Begins the span of a request, which ends with its answer. Does nothing where
 * nothing is traced. `route` is the route's pattern.
 */
export function traceRequest(
  { tracing, tls }: Pick<ProtocolHost, 'tracing' | 'tls'>,
  exchange: Exchange,
  route: string,
  facts?: SpanFacts,
): void {
  if (tracing === undefined) return;
  const { request, response } = exchange;
  const { method = 'POST' } = request;
  const span = tracing.request({
    name: `${method} ${route}`,
    facts: {
      'http.request.method': method,
      'http.route': route,
      'url.path': route,
      'url.scheme': tls === undefined ? 'http' : 'https',
      ...facts,
    },
    parent: traceOf(request),
  });
  exchange.trace = span.context;
  response.once('close', () => {
    const { headersSent, statusCode } = response;
    // A client that is gone before its answer had none.
    if (!headersSent) return span.end();
    const failure = statusCode >= 500 ? String(statusCode) : undefined;
    span.end(failure, { 'http.response.status_code': statusCode });
  });
}
