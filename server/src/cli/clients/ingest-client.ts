import type { ErrorCode } from '../../base/errors.ts';
import type { OutgoingEvent } from './outgoing-event.ts';

/** What the hub made of one event. */
export interface SendResult {
  /** `unknown`: the hub failed on the way; a retry with the same id is safe. */
  readonly status: 'success' | 'duplicate' | 'rejected' | 'unknown';
  readonly id: string;
  readonly position?: string;
  /** From the error table. */
  readonly code?: string;
  readonly detail?: string;
}

/** Sends events over one protocol. */
export interface IngestClient {
  /** One result per event, in order. Rejects with ClientError when there is no answer for the whole. */
  send(events: readonly OutgoingEvent[]): Promise<readonly SendResult[]>;
  close(): void;
}

export interface ClientErrorOptions {
  /** `unreachable`: no answer came. `unexpected`: the answer is none of a hub's. */
  readonly code: ErrorCode | 'unreachable' | 'unexpected';
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
  /** Where a stream can be resumed. */
  readonly position?: string | undefined;
}

/** A request that failed as a whole. */
export class ClientError extends Error {
  readonly code: ClientErrorOptions['code'];
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly position: string | undefined;

  constructor(message: string, options: ClientErrorOptions) {
    super(message);
    this.name = 'ClientError';
    this.code = options.code;
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.position = options.position;
  }
}

/** Codes that say something of the events themselves, not of the request or the hub. */
export function blamesEvents(code: ClientErrorOptions['code']): boolean {
  return code === 'invalid' || code === 'unreadable' || code === 'too_large' || code === 'conflict';
}

export function rejected(
  event: OutgoingEvent,
  error: { code: string; message: string },
): SendResult {
  return { status: 'rejected', id: event.id, code: error.code, detail: error.message };
}
