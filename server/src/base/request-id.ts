import { randomUUID } from 'node:crypto';
import type { Logger } from './logger.ts';
import { parseTraceContext, type TraceContext, traceFields, traceIdOf } from './tracing.ts';

/** What a client may say of its request's identity, as headers or metadata. */
export interface GivenIds {
  readonly requestId: string | undefined;
  readonly traceparent: string | undefined;
}

/**
 * By what a request is found again in the logs of all that it went through: the
 * id that the client or a proxy gave it, else its trace's, else one of its own.
 * What is no such id is not repeated anywhere.
 */
export function requestIdFrom({ requestId, traceparent }: GivenIds): string {
  if (requestId !== undefined && givenId.test(requestId)) return requestId;
  const trace = parseTraceContext(traceparent);
  return trace === undefined ? randomUUID() : traceIdOf(trace);
}

const givenId = /^[A-Za-z0-9._~:+/=-]{1,128}$/;

/** Where a failure is written that belongs to one request. */
export interface FailureLog {
  error(facts: object, sentence: string): void;
}

/** With the request's id, and where it is in a trace, if it is in one. */
export function failureLog(
  logger: Logger,
  requestId: () => string,
  trace?: TraceContext,
): FailureLog {
  return {
    error: (facts, sentence) =>
      logger.error({ ...facts, request_id: requestId(), ...traceFields(trace) }, sentence),
  };
}
