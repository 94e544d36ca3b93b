import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { type ErrorCode, errorCodes } from '../../base/errors.ts';
import { errorTable } from '../../protocols/error-table.ts';
import type { EventResponse } from '../../protocols/grpc/messages.ts';
import { type CallTypes, GrpcChannel } from './grpc-channel.ts';
import { grpcRequestOf } from './grpc-request.ts';
import { ClientError, type IngestClient, type SendResult } from './ingest-client.ts';
import type { HubAddress } from './open-client.ts';
import type { OutgoingEvent } from './outgoing-event.ts';

interface Waiting {
  readonly resolve: (result: SendResult) => void;
  readonly reject: (reason: ClientError) => void;
}

/**
 * `SendEvents`: one stream in both directions, answers in the order of the
 * events. A stream that broke is opened anew by the next send.
 */
export class GrpcStreamClient implements IngestClient {
  readonly #channel: GrpcChannel;
  readonly #types: CallTypes<EventResponse>;
  #stream: ClientDuplexStream<object, EventResponse> | undefined;
  #waiting: Waiting[] = [];
  /** Answers come in order, so that the first who waits is the next to be answered. */
  #answered = 0;

  constructor({ grpcUrl, credential, tls }: HubAddress) {
    this.#channel = new GrpcChannel(grpcUrl, credential, tls);
    const { contracts } = this.#channel;
    this.#types = {
      request: contracts.type('event_hub.v1.EventRequest'),
      answer: contracts.type('event_hub.v1.EventResponse'),
    };
  }

  async send(events: readonly OutgoingEvent[]): Promise<readonly SendResult[]> {
    const requests = events.map(grpcRequestOf);
    this.#stream ??= this.#open();
    const stream = this.#stream;
    return await Promise.all(
      requests.map(
        (request) =>
          new Promise<SendResult>((resolve, reject) => {
            this.#waiting.push({ resolve, reject });
            stream.write(request);
          }),
      ),
    );
  }

  close(): void {
    this.#stream?.cancel();
    this.#channel.close();
  }

  #open(): ClientDuplexStream<object, EventResponse> {
    const stream = this.#channel.openStream('/event_hub.v1.EventService/SendEvents', this.#types);
    stream.on('data', (answer: EventResponse) => {
      this.#waiting[this.#answered]?.resolve(resultOf(answer));
      this.#answered += 1;
      if (this.#answered >= forgetAfter) {
        this.#waiting = this.#waiting.slice(this.#answered);
        this.#answered = 0;
      }
    });
    stream.on('error', (error: ServiceError) => this.#fail(stream, this.#channel.failureOf(error)));
    stream.on('end', () =>
      this.#fail(
        stream,
        new ClientError('the hub ended the stream', { code: 'unreachable', retryable: true }),
      ),
    );
    return stream;
  }

  #fail(stream: ClientDuplexStream<object, EventResponse>, failure: ClientError): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    const waiting = this.#waiting.slice(this.#answered);
    this.#waiting = [];
    this.#answered = 0;
    for (const { reject } of waiting) reject(failure);
  }
}

const forgetAfter = 1_024;

function resultOf(answer: EventResponse): SendResult {
  const { status, event_id: id = '', position = '', message } = answer;
  if (status !== 'error') return { status: status as SendResult['status'], id, position };
  const code: ErrorCode | undefined = errorCodes.find((each) => each === answer.code);
  const isUnknown = code !== undefined && errorTable[code].retryable;
  return {
    status: isUnknown ? 'unknown' : 'rejected',
    id,
    code: code ?? 'invalid',
    detail: message,
  };
}
