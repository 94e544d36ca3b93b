import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { CallStatus } from './rpc-status.ts';
import { ServedCall } from './served-call.ts';

/** A call that takes exactly one message, which must arrive in as much time as a request of HTTP. */
export abstract class SingleRequestCall<Q> extends ServedCall {
  #request: Q | HubError | undefined;
  #stopWaiting: (() => void) | undefined;

  /** The request is whole, and somebody still waits for its answer. */
  protected abstract handle(request: Q): void;

  protected override opened(): void {
    this.#stopWaiting = this.host.clock.after(limits.requestTimeoutMs, () => {
      const seconds = limits.requestTimeoutMs / 1_000;
      this.fail(new HubError('unreadable', `the request did not arrive within ${seconds} s`));
    });
    super.opened();
  }

  override onCancel(): void {
    this.#stopWaiting?.();
    super.onCancel();
  }

  override onReceiveMessage(message: Q | HubError): void {
    if (this.#request === undefined) {
      this.#request = message;
      this.call.startRead();
    } else {
      this.fail(oneMessage('a second'));
    }
  }

  override onReceiveHalfClose(): void {
    this.#stopWaiting?.();
    const request = this.#request;
    if (request === undefined) this.fail(oneMessage('no'));
    else if (request instanceof HubError) this.fail(request);
    else if (this.#deadlinePassed()) this.end(deadlineExceeded);
    else this.handle(request);
  }

  /** Past it the client has gone: what is not yet in the log is dropped. */
  #deadlinePassed(): boolean {
    const deadline = Number(this.call.getDeadline());
    return deadline !== Number.POSITIVE_INFINITY && deadline <= this.host.clock.now();
  }
}

const deadlineExceeded: CallStatus = {
  code: 4,
  details: 'the deadline passed before the hub began',
  metadata: null,
};

function oneMessage(found: string): HubError {
  return new HubError('unreadable', `the call has ${found} message: it takes exactly one`);
}
