import { GraphQLError } from 'graphql';
import { HubError } from '../../base/errors.ts';
import type { FailureLog } from '../../base/request-id.ts';
import { type AnswerType, answerTypes } from './decode.ts';
import {
  httpHeadersOf,
  httpStatusOf,
  isTransportFailure,
  type WireError,
  wireErrorOf,
} from './failure.ts';

/** What graphql-js answers, as it types it with and without exact optional members. */
export interface OperationResult {
  readonly errors?: readonly GraphQLError[] | undefined;
  readonly data?: Record<string, unknown> | null | undefined;
}

/** A result as it goes over any wire: errors first, so that people see them. */
export interface WireResult {
  readonly errors?: readonly WireError[];
  readonly data?: Record<string, unknown> | null;
}

/** A whole HTTP answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly json: string;
}

/**
 * With data the status is 200. Without, it says what failed, but for a client
 * of the legacy media type, which reads a status other than 200 as a broken
 * server (GraphQL over HTTP, section 6.4).
 */
export function encodeAnswer(
  result: OperationResult,
  answer: AnswerType,
  log: FailureLog,
): HttpAnswer {
  const contentType = answerTypes[answer];
  const json = JSON.stringify(toWireResult(result, log));
  const [first] = result.errors ?? [];
  const headers = { 'cache-control': 'no-store' };
  if (first === undefined) return { status: 200, headers, contentType, json };
  const failure = failureOf(first);
  const saysSo = answer === 'graphql' || isTransportFailure(failure);
  const hasData = result.data !== undefined && result.data !== null;
  return {
    status: saysSo && !hasData ? httpStatusOf(failure) : 200,
    headers: hasData ? headers : httpHeadersOf(failure),
    contentType,
    json,
  };
}

export function toWireResult({ errors, data }: OperationResult, log: FailureLog): WireResult {
  const told = errors?.map((each) => toWireError(each, log));
  return {
    ...(told === undefined ? {} : { errors: told }),
    ...(data === undefined ? {} : { data }),
  };
}

/**
 * One failure with its code, where it lies in the query and in the result. What
 * the hub did not foresee becomes `internal`: its cause is logged, never sent.
 */
export function toWireError(error: GraphQLError, log: FailureLog): WireError {
  const failure = failureOf(error);
  if (failure.code === 'internal') {
    log.error({ err: failure.cause ?? failure, path: error.path }, failure.message);
  }
  const { locations, path } = error;
  return {
    ...wireErrorOf(failure),
    ...(locations === undefined ? {} : { locations }),
    ...(path === undefined ? {} : { path }),
  };
}

/** What is behind it: a failure of the hub, or a document or values that break the schema. */
export function failureOf(error: GraphQLError): HubError {
  let original: Error = error;
  while (original instanceof GraphQLError && original.originalError !== undefined) {
    original = original.originalError;
  }
  if (original instanceof GraphQLError) return new HubError('invalid', error.message);
  return HubError.from(original);
}
