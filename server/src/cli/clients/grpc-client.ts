import type { BatchResponse, EventResponse } from '../../protocols/grpc/messages.ts';
import { type CallTypes, GrpcChannel } from './grpc-channel.ts';
import { grpcRequestOf } from './grpc-request.ts';
import { ClientError, type IngestClient, type SendResult } from './ingest-client.ts';
import type { HubAddress } from './open-client.ts';
import type { OutgoingEvent } from './outgoing-event.ts';

/** `SendEvent` for one event, `SendEventBatch` for several. */
export class GrpcClient implements IngestClient {
  readonly #channel: GrpcChannel;
  readonly #one: CallTypes<EventResponse>;
  readonly #batch: CallTypes<BatchResponse>;

  constructor({ grpcUrl, credential, tls }: HubAddress) {
    this.#channel = new GrpcChannel(grpcUrl, credential, tls);
    const { contracts } = this.#channel;
    this.#one = {
      request: contracts.type('event_hub.v1.EventRequest'),
      answer: contracts.type('event_hub.v1.EventResponse'),
    };
    this.#batch = {
      request: contracts.type('event_hub.v1.EventBatch'),
      answer: contracts.type('event_hub.v1.BatchResponse'),
    };
  }

  async send(events: readonly OutgoingEvent[]): Promise<readonly SendResult[]> {
    const requests = events.map(grpcRequestOf);
    const [only] = requests;
    if (only === undefined) return [];
    if (requests.length === 1) {
      return [
        resultOf(await this.#channel.call('/event_hub.v1.EventService/SendEvent', only, this.#one)),
      ];
    }
    const { results } = await this.#channel.call(
      '/event_hub.v1.EventService/SendEventBatch',
      { events: requests },
      this.#batch,
    );
    return events.map(({ id }, index): SendResult => {
      const result = results[index];
      if (result === undefined) {
        throw new ClientError('the answer lacks a result', { code: 'unexpected', retryable: true });
      }
      return {
        status: result.status as SendResult['status'],
        id: result.id || id,
        ...(result.position ? { position: result.position } : {}),
        ...(result.error ? { code: result.error.code, detail: result.error.message } : {}),
      };
    });
  }

  close(): void {
    this.#channel.close();
  }
}

function resultOf({ status, event_id: id = '', position = '' }: EventResponse): SendResult {
  return { status: status as SendResult['status'], id, position };
}
