import type { ErrorCode } from '../base/errors.ts';

/** How one failure looks on every wire. */
export interface Wire {
  /** The HTTP status. */
  readonly http: number;
  /** The gRPC status, by its number in google/rpc/code.proto. */
  readonly grpc: number;
  readonly grpcName: string;
  readonly title: string;
  /** `no`, `yes`, `yes, with the same ids`, ... for people; `retryable` for programs. */
  readonly retry: string;
  readonly retryable: boolean;
}

const grpcNames: Readonly<Record<number, string>> = {
  3: 'INVALID_ARGUMENT',
  5: 'NOT_FOUND',
  6: 'ALREADY_EXISTS',
  7: 'PERMISSION_DENIED',
  8: 'RESOURCE_EXHAUSTED',
  10: 'ABORTED',
  11: 'OUT_OF_RANGE',
  12: 'UNIMPLEMENTED',
  13: 'INTERNAL',
  14: 'UNAVAILABLE',
  16: 'UNAUTHENTICATED',
};

/** The one table. A code without a row does not compile. */
export const errorTable = {
  unreadable: row(400, 3, 'The request cannot be read', 'no'),
  invalid: row(422, 3, 'The request breaks the contract', 'no'),
  too_large: row(413, 8, 'The request is too large', 'no'),
  unsupported_media_type: row(415, 3, 'The media type is not supported', 'no'),
  method_not_allowed: row(405, 12, 'The method is not allowed here', 'no'),
  unauthenticated: row(401, 16, 'A valid credential is needed', 'no'),
  forbidden: row(403, 7, 'The credential does not allow this', 'no'),
  not_found: row(404, 5, 'There is no such thing', 'no'),
  conflict: row(409, 6, 'The id is taken by other content', 'no'),
  position_gone: row(410, 11, 'The position is gone', 'from the position it names'),
  rate_limited: row(429, 8, 'Too many requests', 'yes'),
  overloaded: row(503, 8, 'The hub is overloaded; nothing was stored', 'yes'),
  unavailable: row(503, 14, 'The hub is not available now', 'yes, with the same ids'),
  slow_reader: row(503, 10, 'The stream was read too slowly', 'yes, from the last position'),
  internal: row(500, 13, 'The hub failed', 'yes, with the same ids'),
} as const satisfies Record<ErrorCode, Wire>;

function row(http: number, grpc: number, title: string, retry: string): Wire {
  const grpcName = grpcNames[grpc] ?? 'UNKNOWN';
  return { http, grpc, grpcName, title, retry, retryable: retry.startsWith('yes') };
}
