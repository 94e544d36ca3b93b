import type { Caller } from '../../hub.ts';
import type { MessageType } from './contracts.ts';
import { type CallHost, ignore, type Method, type RawCall } from './served-call.ts';
import { SingleRequestCall } from './single-request-call.ts';

/** Resolves with the encoded answer; rejects with the failure. */
export type UnaryHandler<Q> = (request: Q, caller: Caller) => Promise<Buffer>;

export function unaryMethod<Q>(
  host: CallHost,
  path: string,
  request: Pick<MessageType<Q>, 'decode'>,
  handler: UnaryHandler<Q>,
): Method {
  return {
    path,
    kind: 'unary',
    decode: request.decode,
    serve: (call) => call.start(new UnaryCall(call, host, path, handler)),
  };
}

class UnaryCall<Q> extends SingleRequestCall<Q> {
  readonly #handler: UnaryHandler<Q>;

  constructor(call: RawCall, host: CallHost, path: string, handler: UnaryHandler<Q>) {
    super(call, host, path);
    this.#handler = handler;
  }

  protected override handle(request: Q): void {
    this.#handler(request, this.caller).then(
      (answer) => this.#answer(answer),
      (reason) => this.fail(reason),
    );
  }

  /** Message and status in one go, so that they leave in one packet. */
  #answer(answer: Buffer): void {
    if (this.ended) return;
    this.call.sendMessage(answer, ignore);
    this.succeed();
  }
}
