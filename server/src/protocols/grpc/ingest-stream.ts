import type { Metadata } from '@grpc/grpc-js';
import { yieldTurn } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { failureLog } from '../../base/request-id.ts';
import type { Span, TraceContext } from '../../base/tracing.ts';
import type { Hub, PublishResult } from '../../hub.ts';
import type { MessageType } from './contracts.ts';
import { toEventInput } from './decode.ts';
import { refusedResponse, storedResponse } from './encode.ts';
import type { EventRequest, EventResponse } from './messages.ts';
import { nameUnknown } from './name-unknown.ts';
import { type CallHost, type Method, type RawCall, ServedCall } from './served-call.ts';
import { beginSpan, endSpan, traceIn } from './trace-call.ts';

export interface IngestStreamParts {
  readonly host: CallHost;
  readonly hub: Hub;
  readonly path: string;
  readonly request: MessageType<EventRequest>;
  readonly response: MessageType<EventResponse>;
}

/**
 * SendEvents. What arrives in one turn of the event loop goes to the hub in one
 * call; many of those are on their way at once, and the hub's group commit
 * joins them with everybody else's. Answers go out in the order of the events.
 */
export function ingestStreamMethod(parts: IngestStreamParts): Method {
  return {
    path: parts.path,
    kind: 'bidi',
    decode: parts.request.decode,
    serve: (call) => call.start(new IngestCall(call, parts)),
  };
}

class IngestCall extends ServedCall {
  readonly #parts: IngestStreamParts;
  /** Arrived in this turn, not yet given to the hub. */
  #arrived: object[] = [];
  /** Events whose answer has not yet left: the bound that makes a client wait. */
  #inFlight = 0;
  /** Events whose answer has not yet been written. */
  #unanswered = 0;
  #halfClosed = false;
  #reading = false;
  /** A message came while a read was being asked for. */
  #cameAtOnce = false;
  #asking = false;
  /** What ends the stream from the hub's side: its stop, and the end of the credential. */
  #ends: readonly AbortSignal[] = [];
  /** Resolves when all answers so far are written. */
  #answered: Promise<void> = Promise.resolve();

  constructor(call: RawCall, parts: IngestStreamParts) {
    super(call, parts.host, parts.path);
    this.#parts = parts;
  }

  override onReceiveMetadata(metadata: Metadata): void {
    if (this.host.tracing !== undefined) this.trace = traceIn(metadata);
    super.onReceiveMetadata(metadata);
  }

  protected override opened(): void {
    this.#ends = [this.host.stopping, this.caller.ended];
    for (const signal of this.#ends) signal.addEventListener('abort', this.#stop);
    if (this.#endReason() === undefined) this.#read();
    else this.#stop();
  }

  override onReceiveMessage(message: EventRequest | HubError): void {
    this.#reading = false;
    this.#cameAtOnce = true;
    this.#arrived.push(message instanceof HubError ? message : toEventInput(message));
    this.#inFlight += 1;
    this.#unanswered += 1;
    // A slice is what the hub parses in one go, so that no event overtakes another.
    if (this.#arrived.length === limits.parseSliceEvents) this.#publish();
    else if (this.#arrived.length === 1) void yieldTurn().then(() => this.#publish());
    this.#read();
  }

  override onReceiveHalfClose(): void {
    this.#reading = false;
    this.#halfClosed = true;
    this.#endWhenAnswered();
  }

  override onCancel(): void {
    super.onCancel();
    for (const signal of this.#ends) signal.removeEventListener('abort', this.#stop);
    this.#arrived = [];
  }

  #endReason(): HubError | undefined {
    if (this.caller.ended.aborted) return HubError.from(this.caller.ended.reason);
    if (!this.host.stopping.aborted) return undefined;
    return new HubError('unavailable', 'the hub is stopping: send the rest once it is back');
  }

  /** Asks for messages one by one in a loop: grpc-js hands over waiting ones inside the call, which would nest. */
  #read(): void {
    if (this.#asking) return;
    this.#asking = true;
    do {
      this.#cameAtOnce = false;
      if (!this.#mayRead()) break;
      this.#reading = true;
      this.call.startRead();
    } while (this.#cameAtOnce);
    this.#asking = false;
  }

  #mayRead(): boolean {
    return (
      !this.#reading &&
      !this.#halfClosed &&
      !this.ended &&
      this.#endReason() === undefined &&
      this.#inFlight < limits.grpcInFlightEvents
    );
  }

  #publish(): void {
    const inputs = this.#arrived;
    if (inputs.length === 0 || this.ended) return;
    this.#arrived = [];
    // One for all that goes together: the call may last for days, and is no request.
    const span = beginSpan(this.host.tracing, this.#parts.path, this.trace);
    const published = this.#parts.hub.publish(this.caller, inputs, {
      protocol: 'grpc',
      trace: span?.context,
      requestId: this.requestId,
    });
    this.#answered = this.#answer(inputs, span, published, this.#answered);
  }

  /** Never rejects. */
  async #answer(
    inputs: readonly object[],
    span: Span | undefined,
    published: Promise<readonly PublishResult[]>,
    before: Promise<void>,
  ): Promise<void> {
    let responses: readonly EventResponse[];
    try {
      responses = (await published).map(responseOf);
      endSpan(span, 0);
    } catch (reason) {
      const error = HubError.from(reason);
      if (error.code === 'forbidden') this.fail(error);
      responses = this.#unanswerable(inputs, error, span?.context);
      endSpan(span, this.host.statusOf(error, this.requestId()).code ?? 2);
    }
    await before;
    if (this.ended) return;
    for (const response of responses) {
      this.call.sendMessage(this.#parts.response.encode(response), this.#left);
    }
    this.#unanswered -= responses.length;
    this.#endWhenAnswered();
  }

  /** The hub failed: each event is answered with that, but for those that could not be read anyway. */
  #unanswerable(
    inputs: readonly object[],
    error: HubError,
    trace: TraceContext | undefined,
  ): EventResponse[] {
    if (error.code === 'internal') {
      failureLog(this.host.logger, this.requestId, trace).error(
        { err: error, cause: error.cause },
        'events of a stream failed',
      );
    }
    const ids = nameUnknown(inputs, error.ids ?? []);
    return inputs.map((input, index) =>
      refusedResponse(input instanceof HubError ? input : error, ids[index]),
    );
  }

  /** An answer is on its way to the client. */
  readonly #left = (): void => {
    this.#inFlight -= 1;
    this.#read();
  };

  #endWhenAnswered(): void {
    if (this.#unanswered > 0) return;
    const reason = this.#halfClosed ? undefined : this.#endReason();
    if (reason !== undefined) this.fail(reason);
    else if (this.#halfClosed) this.succeed();
  }

  readonly #stop = (): void => this.#endWhenAnswered();
}

function responseOf(result: PublishResult): EventResponse {
  const stored = storedResponse(result);
  if (stored !== undefined) return stored;
  if (result.status !== 'rejected') throw new Error('a stream is never atomic');
  return refusedResponse(result.error, result.id);
}
