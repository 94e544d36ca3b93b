import protobuf from 'protobufjs';
import { limits } from '../../base/limits.ts';
import type { EventPage, Hub } from '../../hub.ts';
import type { Contracts, MessageType } from './contracts.ts';
import { textOf, toFilter } from './decode.ts';
import { eventMessage, totalsMessage } from './encode.ts';
import type {
  AggregatedMetricsRequest,
  AggregatedMetricsResponse,
  EventMessage,
  GetEventRequest,
  ListEventsRequest,
} from './messages.ts';
import type { CallHost, Method } from './served-call.ts';
import { unaryMethod } from './unary-call.ts';

/** GetEvent, ListEvents and AggregatedMetrics. */
export function readMethods(
  host: CallHost,
  hub: Hub,
  contracts: Contracts,
  service: string,
): readonly Method[] {
  const get = contracts.type<GetEventRequest>('event_hub.v1.GetEventRequest');
  const list = contracts.type<ListEventsRequest>('event_hub.v1.ListEventsRequest');
  const metrics = contracts.type<AggregatedMetricsRequest>('event_hub.v1.AggregatedMetricsRequest');
  const event = contracts.type<EventMessage>('event_hub.v1.Event');
  const totals = contracts.type<AggregatedMetricsResponse>(
    'event_hub.v1.AggregatedMetricsResponse',
  );
  return [
    unaryMethod(host, `${service}/GetEvent`, get, async ({ id, at_least }, caller) => {
      const stored = await hub.get(caller, id, textOf(at_least));
      return event.encode(eventMessage(stored.event, stored.position));
    }),
    unaryMethod(host, `${service}/ListEvents`, list, async (asked, caller) => {
      const page = await hub.find(caller, {
        ...toFilter(asked.filter),
        limit: asked.limit,
        cursor: textOf(asked.cursor),
        from: textOf(asked.from),
        to: textOf(asked.to),
        order: textOf(asked.order),
        at_least: textOf(asked.at_least),
      });
      return encodePage(page, event);
    }),
    unaryMethod(host, `${service}/AggregatedMetrics`, metrics, async (asked, caller) => {
      const found = await hub.aggregate(caller, {
        minutes: asked.minutes,
        from: textOf(asked.from),
        to: textOf(asked.to),
        currency: textOf(asked.currency),
        event_type: textOf(asked.event_type),
        user_id: textOf(asked.user_id),
        at_least: textOf(asked.at_least),
      });
      return totals.encode(totalsMessage(found));
    }),
  ];
}

/** The fields of ListEventsResponse, each event encoded once to know its size. */
const EVENTS = (1 << 3) | 2;
const NEXT = (2 << 3) | 2;

/** Ends the page before it outgrows a client's default limit; `next` then goes on from there. */
function encodePage({ events, next }: EventPage, type: MessageType<EventMessage>): Buffer {
  const writer = protobuf.Writer.create();
  let bytes = 0;
  let cursor: string | undefined;
  for (const listed of events) {
    const message = type.encode(eventMessage(listed.event, listed.position));
    bytes += message.length;
    if (bytes > limits.grpcPageBytes && cursor !== undefined) {
      return writer.uint32(NEXT).string(cursor).finish() as Buffer;
    }
    writer.uint32(EVENTS).bytes(message);
    cursor = listed.cursor;
  }
  if (next !== undefined) writer.uint32(NEXT).string(next);
  return writer.finish() as Buffer;
}
