import { HubError, invalid } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { holdRequest } from '../../base/request-memory.ts';
import type { Hub } from '../../hub.ts';
import type { Contracts, MessageType } from './contracts.ts';
import { toEventInput } from './decode.ts';
import { batchResponse, storedResponse, unknownBatch } from './encode.ts';
import { ingestStreamMethod } from './ingest-stream.ts';
import type { EventBatch, EventRequest, EventResponse } from './messages.ts';
import { nameUnknown } from './name-unknown.ts';
import type { CallHost, Method } from './served-call.ts';
import { publishingMethod } from './unary-call.ts';

const protocol = 'grpc';

/** SendEvent, SendEventBatch and SendEvents. */
export function ingestMethods(
  host: CallHost,
  hub: Hub,
  contracts: Contracts,
  service: string,
): readonly Method[] {
  const request = singleEvent(contracts.type<EventRequest>('event_hub.v1.EventRequest'));
  const response = contracts.type<EventResponse>('event_hub.v1.EventResponse');
  const batch = measured(contracts.type<EventBatch>('event_hub.v1.EventBatch'));
  const batchAnswer = contracts.type('event_hub.v1.BatchResponse');
  return [
    publishingMethod(host, `${service}/SendEvent`, request, async (event, caller, call) => {
      const options = { protocol, ...call };
      const [result] = await hub.publish(caller, [toEventInput(event)], options);
      if (result === undefined) throw new Error('the hub answered no result for an event');
      const stored = storedResponse(result);
      if (stored !== undefined) return response.encode(stored);
      if (result.status !== 'rejected') throw new Error('one event cannot be left out of a batch');
      const { error, id } = result;
      throw id === undefined ? error : error.withIds([id]);
    }),
    publishingMethod(
      host,
      `${service}/SendEventBatch`,
      batch,
      async ({ message, bytes }, caller, call) => {
        const { events, atomic } = message;
        checkLength(events.length);
        const release = holdRequest(bytes);
        const inputs = events.map(toEventInput);
        try {
          const results = await hub.publish(caller, inputs, { protocol, atomic, ...call });
          return batchAnswer.encode(batchResponse(results));
        } catch (reason) {
          const error = HubError.from(reason);
          // Nothing was stored, or nothing was tried: the whole call has failed.
          if (error.code !== 'unavailable' && error.code !== 'internal') throw error;
          return batchAnswer.encode(unknownBatch(error, nameUnknown(inputs, error.ids ?? [])));
        } finally {
          release();
        }
      },
    ),
    ingestStreamMethod({ host, hub, path: `${service}/SendEvents`, request, response }),
  ];
}

/** REST's bound for one event, taken before anything is read. */
function singleEvent(type: MessageType<EventRequest>): MessageType<EventRequest> {
  return {
    encode: type.encode,
    decode: (bytes) =>
      bytes.length > limits.singleBodyBytes
        ? new HubError('too_large', `one event is longer than ${limits.singleBodyBytes} bytes`)
        : type.decode(bytes),
  };
}

/** A message and its length on the wire. */
interface Measured<T> {
  readonly message: T;
  readonly bytes: number;
}

function measured<T>(type: MessageType<T>): Pick<MessageType<Measured<T>>, 'decode'> {
  return {
    decode: (bytes) => {
      const message = type.decode(bytes);
      return message instanceof HubError ? message : { message, bytes: bytes.length };
    },
  };
}

function checkLength(events: number): void {
  if (events === 0) {
    throw invalid('/events', 'empty_batch', 'the batch is empty: send at least one event');
  }
  if (events <= limits.batchEvents) return;
  const detail = `the batch has more than ${limits.batchEvents} events: send it in parts`;
  throw new HubError('too_large', detail, {
    details: [{ pointer: '/events', code: 'batch_too_large', detail }],
  });
}
