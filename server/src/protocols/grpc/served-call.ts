import type { Metadata, ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Logger } from '../../base/logger.ts';
import { type FailureLog, failureLog, requestIdFrom } from '../../base/request-id.ts';
import type { TraceContext, Tracing } from '../../base/tracing.ts';
import type { Caller, Identify, Presented } from '../../hub.ts';
import { bearerOf } from '../http/request-header.ts';
import { type CallStatus, okStatus, type StatusOf } from './rpc-status.ts';

/** What every call needs of its server. */
export interface CallHost {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined where nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly identify: Identify;
  readonly statusOf: StatusOf;
  /** Aborted when the hub begins to stop. */
  readonly stopping: AbortSignal;
}

/** One method of a service. Its answers are encoded before they reach grpc-js. */
export interface Method {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly kind: 'unary' | 'serverStream' | 'bidi';
  /** Never throws: what cannot be read is a HubError among the messages. */
  readonly decode: (bytes: Buffer) => unknown;
  /** Takes the call from its start to its status. */
  serve(call: RawCall): void;
}

export type RawCall = ServerInterceptingCallInterface;
type Listener = Parameters<RawCall['start']>[0];

/**
 * One call on grpc-js's own call interface. grpc-js would put a Node stream
 * around each call and pass one message at a time through it; a live feed and
 * an ingest stream want many on their way, counted, with an end that we choose
 * (docs/decisions/0003-grpc-without-streams.md).
 */
export abstract class ServedCall implements Listener {
  protected readonly call: RawCall;
  protected readonly host: CallHost;
  readonly #path: string;
  #caller: Caller | undefined;
  #metadata: Metadata | undefined;
  #requestId: string | undefined;
  /** Where the call is in a trace; undefined where it is in none. */
  protected trace: TraceContext | undefined;
  /** The status is out, the client cancelled, or the deadline passed: nothing more can be said. */
  protected ended = false;

  constructor(call: RawCall, host: CallHost, path: string) {
    this.call = call;
    this.host = host;
    this.#path = path;
  }

  abstract onReceiveMessage(message: unknown): void;
  abstract onReceiveHalfClose(): void;

  onReceiveMetadata(metadata: Metadata): void {
    this.#metadata = metadata;
    try {
      checkSize(metadata);
      const caller = this.host.identify(presentedBy(metadata), this.#address());
      if (caller instanceof Promise) caller.then(this.#open, (reason) => this.fail(reason));
      else this.#open(caller);
    } catch (reason) {
      this.fail(reason);
    }
  }

  readonly #open = (caller: Caller): void => {
    if (this.ended) return;
    this.#caller = caller;
    this.opened();
  };

  /** Without the port. */
  #address(): string {
    return this.call.getPeer().replace(/:\d+$/, '');
  }

  /** grpc-js says this at the end of every call, not only of a cancelled one. */
  onCancel(): void {
    this.ended = true;
  }

  /** The caller is known; reading can begin. */
  protected opened(): void {
    this.call.startRead();
  }

  protected get caller(): Caller {
    if (this.#caller === undefined) throw new Error('the caller is known once metadata came');
    return this.#caller;
  }

  /** Looked for when it is first needed, which is when something fails. */
  readonly requestId = (): string => {
    this.#requestId ??= requestIdFrom({
      requestId: onlyText(this.#metadata, 'x-request-id'),
      traceparent: onlyText(this.#metadata, 'traceparent'),
    });
    return this.#requestId;
  };

  protected get log(): FailureLog {
    return failureLog(this.host.logger, this.requestId, this.trace);
  }

  protected succeed(): void {
    this.end(okStatus);
  }

  protected fail(reason: unknown): void {
    const error = HubError.from(reason);
    if (error.code === 'internal') {
      this.log.error({ err: error, cause: error.cause, method: this.#path }, 'call failed');
    }
    this.end(this.host.statusOf(error, this.requestId()));
  }

  protected end(status: CallStatus): void {
    if (this.ended) return;
    this.ended = true;
    this.call.sendStatus(status);
  }
}

export const ignore = (): void => {};

/** What `authorization` and `x-api-key` carry. Throws `unreadable` when one of them came more than once. */
function presentedBy(metadata: Metadata): Presented {
  return {
    bearer: bearerOf(onceOnly(metadata, 'authorization')),
    apiKey: onceOnly(metadata, 'x-api-key'),
  };
}

function onceOnly(metadata: Metadata, name: string): string | undefined {
  const [value, ...others] = metadata.get(name);
  if (others.length === 0) return value === undefined ? undefined : String(value);
  throw new HubError('unreadable', `${name} came more than once: send it once`);
}

function onlyText(metadata: Metadata | undefined, name: string): string | undefined {
  const [value, ...others] = metadata?.get(name) ?? [];
  return others.length === 0 && typeof value === 'string' ? value : undefined;
}

/** HTTP/2 counts 32 bytes for each entry beside its name and value. */
function checkSize(metadata: Metadata): void {
  let bytes = 0;
  const headers = metadata.toHttp2Headers();
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value)) {
      for (const each of value) bytes += name.length + each.length + 32;
    } else bytes += name.length + String(value).length + 32;
  }
  if (bytes <= limits.grpcMetadataBytes) return;
  throw new HubError(
    'too_large',
    `the metadata has ${bytes} bytes, at most ${limits.grpcMetadataBytes}`,
  );
}
