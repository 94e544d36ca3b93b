import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { errorTable } from '../error-table.ts';

/** A failure as one of the `errors` of an answer. */
export interface WireError {
  readonly message: string;
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** What goes out of a failure; its cause stays inside. */
export function wireErrorOf(failure: HubError): WireError {
  const retryAfter = retryAfterOf(failure);
  return {
    message: cut(failure.message),
    extensions: {
      code: failure.code,
      ...(failure.details.length === 0 ? {} : { errors: failure.details }),
      ...(failure.ids === undefined ? {} : { ids: failure.ids }),
      ...(failure.position === undefined ? {} : { position: failure.position }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    },
  };
}

/** The HTTP status of an answer without data: GraphQL over HTTP has 400 for every bad request. */
export function httpStatusOf(failure: HubError): number {
  if (failure.code === 'unreadable' || failure.code === 'invalid') return 400;
  return isNotAcceptable(failure) ? 406 : errorTable[failure.code].http;
}

export function httpHeadersOf(failure: HubError): Readonly<Record<string, string>> {
  const retryAfter = retryAfterOf(failure);
  return {
    'cache-control': 'no-store',
    ...(retryAfter === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfter)) }),
    ...(failure.code === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}),
    ...(failure.code === 'method_not_allowed' ? { allow: 'POST' } : {}),
  };
}

/** The client does not take what the hub would answer: HTTP has a status of its own for that. */
export function notAcceptable(detail: string): HubError {
  return new HubError('unsupported_media_type', detail, {
    details: [{ pointer: '', code: 'not_acceptable', detail }],
  });
}

/** Whether the request was wrong as HTTP, whatever its operation says. */
export function isTransportFailure(failure: HubError): boolean {
  return failure.code === 'method_not_allowed' || isNotAcceptable(failure);
}

function isNotAcceptable(failure: HubError): boolean {
  return failure.details[0]?.code === 'not_acceptable';
}

/** In seconds; undefined where a retry makes no sense. */
function retryAfterOf(failure: HubError): number | undefined {
  return failure.retryAfterS ?? (errorTable[failure.code].retryable ? 1 : undefined);
}

/** graphql-js repeats a refused value, however long it is. */
function cut(message: string): string {
  if (message.length <= limits.graphqlMessageCharacters) return message;
  return `${message.slice(0, limits.graphqlMessageCharacters).toWellFormed()}…`;
}
