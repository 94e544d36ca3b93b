import type { Metadata } from '@grpc/grpc-js';
import type { Span, TraceContext } from '../../base/tracing.ts';
import type { Caller } from '../../hub.ts';
import type { MessageType } from './contracts.ts';
import type { CallStatus } from './rpc-status.ts';
import { type CallHost, ignore, type Method, type RawCall } from './served-call.ts';
import { SingleRequestCall } from './single-request-call.ts';
import { beginSpan, cancelled, endSpan, traceIn } from './trace-call.ts';

/** Resolves with the encoded answer; rejects with the failure. */
export type UnaryHandler<Q> = (request: Q, caller: Caller, call: CallFacts) => Promise<Buffer>;

/** What is known of a call besides who makes it. */
export interface CallFacts {
  /** Where it is in a trace; undefined where it is in none. */
  readonly trace: TraceContext | undefined;
  readonly requestId: () => string;
}

export function unaryMethod<Q>(
  host: CallHost,
  path: string,
  request: Pick<MessageType<Q>, 'decode'>,
  handler: UnaryHandler<Q>,
): Method {
  return methodOf(host, request, { path, handler, publishes: false });
}

/** The same for a call that brings events, which has a span where calls are traced. */
export function publishingMethod<Q>(
  host: CallHost,
  path: string,
  request: Pick<MessageType<Q>, 'decode'>,
  handler: UnaryHandler<Q>,
): Method {
  return methodOf(host, request, { path, handler, publishes: true });
}

function methodOf<Q>(
  host: CallHost,
  { decode }: Pick<MessageType<Q>, 'decode'>,
  how: UnaryHow<Q>,
): Method {
  const { path } = how;
  return {
    path,
    kind: 'unary',
    decode,
    serve: (call) => call.start(new UnaryCall(call, host, how)),
  };
}

interface UnaryHow<Q> {
  readonly path: string;
  readonly handler: UnaryHandler<Q>;
  readonly publishes: boolean;
}

class UnaryCall<Q> extends SingleRequestCall<Q> {
  readonly #how: UnaryHow<Q>;
  /** Of a call that brings events. */
  #span: Span | undefined;

  constructor(call: RawCall, host: CallHost, how: UnaryHow<Q>) {
    super(call, host, how.path);
    this.#how = how;
  }

  override onReceiveMetadata(metadata: Metadata): void {
    const { path, publishes } = this.#how;
    if (publishes && this.host.tracing !== undefined) {
      this.#span = beginSpan(this.host.tracing, path, traceIn(metadata));
      this.trace = this.#span?.context;
    }
    super.onReceiveMetadata(metadata);
  }

  protected override handle(request: Q): void {
    const { trace, requestId } = this;
    this.#how.handler(request, this.caller, { trace, requestId }).then(
      (answer) => this.#answer(answer),
      (reason) => this.fail(reason),
    );
  }

  override onCancel(): void {
    super.onCancel();
    // After an answer this changes nothing any more.
    if (this.#span !== undefined) endSpan(this.#span, cancelled);
  }

  protected override end(status: CallStatus): void {
    super.end(status);
    if (this.#span !== undefined) endSpan(this.#span, status.code ?? 0);
  }

  /** Message and status in one go, so that they leave in one packet. */
  #answer(answer: Buffer): void {
    if (this.ended) return;
    this.call.sendMessage(answer, ignore);
    this.succeed();
  }
}
