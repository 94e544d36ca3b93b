import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Caller } from '../../hub.ts';
import type { MessageType } from './contracts.ts';
import type { CallHost, Method, RawCall } from './served-call.ts';
import { SingleRequestCall } from './single-request-call.ts';

/** Where a server-streaming handler puts its answers. */
export interface Answers {
  /** Aborted when nobody waits for an answer any more. */
  readonly signal: AbortSignal;
  /** Puts an encoded message on the wire; false when the transport holds enough. */
  write(message: Buffer): boolean;
  /** Resolves when the transport takes more, or nobody waits; rejects with `slow_reader` when that takes too long. */
  drained(): Promise<void>;
}

/** The stream ends with OK when it resolves, and with the failure when it rejects. */
export type StreamHandler<Q> = (request: Q, caller: Caller, answers: Answers) => Promise<void>;

export function serverStreamMethod<Q>(
  host: CallHost,
  path: string,
  request: MessageType<Q>,
  handler: StreamHandler<Q>,
): Method {
  return {
    path,
    kind: 'serverStream',
    decode: request.decode,
    serve: (call) => call.start(new StreamCall(call, host, path, handler)),
  };
}

class StreamCall<Q> extends SingleRequestCall<Q> implements Answers {
  readonly #handler: StreamHandler<Q>;
  readonly #gone = new AbortController();
  /** Bytes given to the transport that it has not yet sent on. */
  #pendingBytes = 0;
  #wake: (() => void) | undefined;

  constructor(call: RawCall, host: CallHost, path: string, handler: StreamHandler<Q>) {
    super(call, host, path);
    this.#handler = handler;
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  protected override handle(request: Q): void {
    this.#handler(request, this.caller, this).then(
      () => this.succeed(),
      (reason) => this.fail(reason),
    );
  }

  override onCancel(): void {
    super.onCancel();
    this.#gone.abort();
    this.#wake?.();
  }

  write(message: Buffer): boolean {
    if (this.ended) return true;
    const bytes = message.length;
    this.#pendingBytes += bytes;
    this.call.sendMessage(message, () => {
      this.#pendingBytes -= bytes;
      if (this.#pendingBytes < limits.grpcStreamPendingBytes) this.#wake?.();
    });
    return this.#pendingBytes < limits.grpcStreamPendingBytes;
  }

  drained(): Promise<void> {
    if (this.ended || this.#pendingBytes < limits.grpcStreamPendingBytes) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const cancelStall = this.host.clock.after(limits.subscriberStallMs, () => {
        this.#wake = undefined;
        reject(new HubError('slow_reader', 'the stream was read too slowly: resume from position'));
      });
      this.#wake = () => {
        this.#wake = undefined;
        cancelStall();
        resolve();
      };
    });
  }
}
