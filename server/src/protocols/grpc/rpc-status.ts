import { Metadata } from '@grpc/grpc-js';
import type { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { errorTable } from '../error-table.ts';
import type { Contracts } from './contracts.ts';

/** A call's end as grpc-js takes it. */
export interface CallStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata | null;
}

export const okStatus: CallStatus = { code: 0, details: 'OK', metadata: null };

/** Turns a failure into a status with google.rpc details. */
export type StatusOf = (error: HubError, requestId: string) => CallStatus;

/** By the error table; the cause of a failure stays inside. */
export function createStatusOf(contracts: Contracts): StatusOf {
  const status = contracts.type('google.rpc.Status');
  const errorInfo = contracts.type('google.rpc.ErrorInfo');
  const retryInfo = contracts.type('google.rpc.RetryInfo');
  const badRequest = contracts.type('google.rpc.BadRequest');
  return (error, requestId) => {
    const wire = errorTable[error.code];
    const message = error.message.toWellFormed();
    const details = [
      any('ErrorInfo', errorInfo.encode(infoOf(error))),
      ...(error.details.length === 0
        ? []
        : [any('BadRequest', badRequest.encode({ field_violations: violationsOf(error) }))]),
      ...(wire.retryable
        ? [any('RetryInfo', retryInfo.encode({ retry_delay: duration(error.retryAfterS ?? 1) }))]
        : []),
    ];
    const metadata = new Metadata();
    const encoded = status.encode({ code: wire.grpc, message, details });
    metadata.set('grpc-status-details-bin', encoded);
    metadata.set('x-request-id', requestId);
    return { code: wire.grpc, details: message, metadata };
  };
}

function any(name: string, value: Buffer): object {
  return { type_url: `type.googleapis.com/google.rpc.${name}`, value };
}

function infoOf(error: HubError): object {
  const metadata: Record<string, string> = { retry: errorTable[error.code].retry };
  const ids = error.ids ?? [];
  if (ids.length === 1) metadata.id = String(ids[0]);
  else if (ids.length > 1) metadata.ids = ids.join(',').slice(0, limits.grpcErrorDetailBytes);
  if (error.position !== undefined) metadata.position = error.position;
  return { reason: error.code, domain: 'event-hub', metadata };
}

/** As many as fit: trailers share a client's limit for headers. */
function violationsOf(error: HubError): object[] {
  const violations: object[] = [];
  let room: number = limits.grpcErrorDetailBytes;
  for (const { pointer, code, detail } of error.details) {
    const field = fieldPath(pointer);
    room -= Buffer.byteLength(field) + Buffer.byteLength(detail) + code.length;
    if (room < 0 && violations.length > 0) break;
    violations.push({
      field,
      description: detail.toWellFormed(),
      reason: code,
    });
  }
  return violations;
}

/** `/metadata/a~1b` is `metadata.a/b`, which is how BadRequest writes a path. */
function fieldPath(pointer: string): string {
  return pointer
    .slice(1)
    .replaceAll('/', '.')
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
    .toWellFormed();
}

function duration(seconds: number): object {
  const whole = Math.floor(seconds);
  return { seconds: whole, nanos: Math.round((seconds - whole) * 1e9) };
}
