import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { ErrorCode, ErrorDetail, HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { errorTable } from '../error-table.ts';
import { safetyHeaders } from './hub-response.ts';
import { requestIdOf } from './request-id.ts';

/** RFC 9457. `type` is a relative reference to the hub's own page of errors. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly errors: readonly ErrorDetail[];
  /** The events whose outcome is unknown: a retry with these ids is safe. */
  readonly ids?: readonly string[];
  /** Where a feed can be resumed. */
  readonly position?: string;
  /** By which the request is found in the hub's log. */
  readonly request_id?: string;
}

export interface ProblemParts {
  /** Where HTTP has a better word than the table. */
  readonly status?: number | undefined;
  /** Absent for what never became a request. */
  readonly requestId?: string;
}

/** What goes out of a failure; its cause stays inside. */
export function problemOf(error: HubError, { status, requestId }: ProblemParts = {}): Problem {
  const wire = errorTable[error.code];
  return {
    type: `/docs/errors#${error.code}`,
    title: wire.title,
    status: status ?? wire.http,
    detail: error.message,
    code: error.code,
    errors: error.details,
    ...(error.ids === undefined ? {} : { ids: error.ids }),
    ...(error.position === undefined ? {} : { position: error.position }),
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
}

export interface ProblemOptions {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Answers with a problem document. Where a long body is still on its way, the
 * answer goes out first and the rest of the body is thrown away for a moment,
 * so that the sender gets to read why; then the connection closes.
 */
export function writeProblem(
  request: IncomingMessage,
  response: ServerResponse,
  clock: Clock,
  error: HubError,
  options: ProblemOptions = {},
): void {
  const problem = problemOf(error, { status: options.status, requestId: requestIdOf(request) });
  const headers = { ...problemHeaders(error), ...options.headers };
  writeRefusal(request, response, clock, problem.status, headers, JSON.stringify(problem));
}

/** The same for a refusal in another form than a problem document. */
export function writeRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  clock: Clock,
  status: number,
  headers: Readonly<Record<string, string>>,
  content: string,
): void {
  const body = Buffer.from(content);
  const bodyToCome = unreadBody(request);
  if (bodyToCome !== 'none') response.shouldKeepAlive = false;
  response.writeHead(status, {
    ...headers,
    'x-request-id': requestIdOf(request),
    'content-length': String(body.length),
  });
  if (bodyToCome !== 'coming') {
    response.end(body);
    return;
  }
  response.write(body);
  request.resume();
  const cancel = clock.after(limits.lingerMs, end);
  request.once('end', end);
  request.once('close', end);
  function end() {
    cancel();
    response.end();
  }
}

/** A whole answer as text, for a request that never became one; the connection closes after it. */
export function rawProblem(error: HubError, status: number, reason: string): string {
  const body = JSON.stringify(problemOf(error, { status }));
  const headers = {
    ...safetyHeaders,
    ...problemHeaders(error),
    'content-length': Buffer.byteLength(body),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}connection: close\r\n\r\n${body}`;
}

function problemHeaders(error: HubError): Record<string, string> {
  const wire = errorTable[error.code];
  const retryAfterS = error.retryAfterS ?? (wire.retryable ? 1 : undefined);
  return {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...(retryAfterS === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterS)) }),
    ...(error.code === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}),
  };
}

/**
 * `none`: the body is read, short enough to be thrown away by Node, or absent.
 * `refused`: the client waits for leave to send it. `coming`: it is on its way.
 */
function unreadBody(request: IncomingMessage): 'none' | 'refused' | 'coming' {
  if (request.complete) return 'none';
  if (request.headers.expect !== undefined) return 'refused';
  if (request.headers['transfer-encoding'] !== undefined) return 'coming';
  const declared = Number(request.headers['content-length'] ?? 0);
  return declared > limits.singleBodyBytes ? 'coming' : 'none';
}
