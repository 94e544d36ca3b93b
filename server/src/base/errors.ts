/**
 * The one vocabulary of failures. Protocols translate these codes through
 * `protocols/error-table.ts`; nothing else maps a failure to a wire.
 */
export const errorCodes = [
  'unreadable',
  'invalid',
  'too_large',
  'unsupported_media_type',
  'method_not_allowed',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'position_gone',
  'rate_limited',
  'overloaded',
  'unavailable',
  'slow_reader',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** One fault in an input. `pointer` is a JSON pointer in the API's own field names, such as `/user_id` or `/metadata/a`. */
export interface ErrorDetail {
  readonly pointer: string;
  /** A machine word for the fault, such as `required` or `unknown_field`. */
  readonly code: string;
  /** A sentence that says what is wrong and what to do. */
  readonly detail: string;
}

export interface HubErrorOptions {
  readonly details?: readonly ErrorDetail[];
  /** When a retry makes sense, in seconds. */
  readonly retryAfterS?: number;
  /** The ids of the events whose outcome is unknown: a retry with the same ids is safe. */
  readonly ids?: readonly string[];
  /** Where a feed can be resumed. */
  readonly position?: string;
  /** Logged, never sent. */
  readonly cause?: unknown;
}

/** A failure of the world or of the input. Programmer errors are assertions instead. */
export class HubError extends Error {
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[];
  readonly retryAfterS: number | undefined;
  readonly ids: readonly string[] | undefined;
  readonly position: string | undefined;

  constructor(code: ErrorCode, message: string, options: HubErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HubError';
    this.code = code;
    this.details = options.details ?? [];
    this.retryAfterS = options.retryAfterS;
    this.ids = options.ids;
    this.position = options.position;
  }

  /** Any thrown thing as a HubError: what is not one becomes `internal`, with the reason kept as the cause. */
  static from(reason: unknown): HubError {
    if (reason instanceof HubError) return reason;
    return new HubError('internal', 'the hub failed; the reason is in its log', { cause: reason });
  }

  /** The same failure, naming the events whose outcome it leaves unknown. */
  withIds(ids: readonly string[]): HubError {
    return new HubError(this.code, this.message, { ...this.#options(), ids });
  }

  /** The same failure of a feed, naming where to resume. One that already names a place keeps it. */
  withPosition(position: string | undefined): HubError {
    if (position === undefined || this.position !== undefined) return this;
    return new HubError(this.code, this.message, { ...this.#options(), position });
  }

  #options(): HubErrorOptions {
    return {
      details: this.details,
      cause: this.cause,
      ...(this.retryAfterS === undefined ? {} : { retryAfterS: this.retryAfterS }),
      ...(this.ids === undefined ? {} : { ids: this.ids }),
      ...(this.position === undefined ? {} : { position: this.position }),
    };
  }
}

/** An input that breaks the contract in one place. */
export function invalid(pointer: string, code: string, detail: string): HubError {
  return new HubError('invalid', detail, { details: [{ pointer, code, detail }] });
}
