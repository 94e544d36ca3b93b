import type { Metadata } from '@grpc/grpc-js';
import {
  parseTraceContext,
  type Span,
  type TraceContext,
  type Tracing,
} from '../../base/tracing.ts';

/** Where a client is in a trace, as its metadata says; undefined where it is in none. */
export function traceIn(metadata: Metadata): TraceContext | undefined {
  const [traceparent, ...others] = metadata.get('traceparent');
  if (others.length > 0) return undefined;
  return parseTraceContext(traceparent, metadata.get('tracestate').join(','));
}

/** The span of one request of a call; there is none where nothing is traced. */
export function beginSpan(
  tracing: Tracing | undefined,
  path: string,
  parent: TraceContext | undefined,
): Span | undefined {
  if (tracing === undefined) return undefined;
  const [, service = '', method = ''] = path.split('/');
  const facts = { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method };
  return tracing.request({ name: path.slice(1), facts, parent });
}

/** With the code of its status. */
export function endSpan(span: Span | undefined, code: number): void {
  span?.end(hubsFault.has(code) ? String(code) : undefined, { 'rpc.grpc.status_code': code });
}

export const cancelled = 1;

/** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS: as OpenTelemetry counts them to the server. */
const hubsFault: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);
