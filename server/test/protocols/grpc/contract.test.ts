import type protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { loadContracts } from '../../../src/protocols/grpc/contracts.ts';

const { root } = loadContracts();

describe('contracts/event_hub.proto', () => {
  it.each([
    [
      'EventRequest',
      'string user_id=1, string event_type=2, optional double amount=3, optional string timestamp=4, optional string id=5, optional string currency=6, optional string amount_exact=7, google.protobuf.Struct metadata=8',
    ],
    [
      'EventResponse',
      'string event_id=1, string status=2, string message=3, string position=4, string code=5',
    ],
    ['EventBatch', 'repeated EventRequest events=1, bool atomic=2'],
    [
      'Event',
      'string id=1, string user_id=2, string event_type=3, double amount=4, string timestamp=5, string currency=6, string amount_exact=7, google.protobuf.Struct metadata=8, string received_at=9, string position=10',
    ],
    ['Filter', 'repeated string user_id=1, repeated string event_type=2, string currency=3'],
    ['StreamRequest', 'optional int32 limit=1, string after=2, Filter filter=3, bool follow=4'],
    [
      'AggregatedMetricsRequest',
      'optional int32 minutes=1, string from=2, string to=3, string currency=4, string event_type=5, string user_id=6, string at_least=7',
    ],
  ])('keeps the numbers and types of %s, which clients were built on', (name, fields) => {
    const type = root.lookupType(`event_hub.v1.${name}`);
    expect(type.fieldsArray.map(written).join(', ')).toBe(fields);
  });

  it('keeps the methods', () => {
    const service = root.lookupService('event_hub.v1.EventService');
    expect(service.methodsArray.map(signature)).toEqual([
      'SendEvent(EventRequest) EventResponse',
      'SendEventBatch(EventBatch) BatchResponse',
      'SendEvents(stream EventRequest) stream EventResponse',
      'StreamEvents(StreamRequest) stream Event',
      'GetEvent(GetEventRequest) Event',
      'ListEvents(ListEventsRequest) ListEventsResponse',
      'AggregatedMetrics(AggregatedMetricsRequest) AggregatedMetricsResponse',
    ]);
  });
});

function written(field: protobuf.Field): string {
  const optional = field.options?.proto3_optional === true ? 'optional ' : '';
  return `${field.repeated ? 'repeated ' : optional}${field.type} ${field.name}=${field.id}`;
}

function signature(method: protobuf.Method): string {
  const of = (stream: boolean | undefined, type: string) => (stream ? `stream ${type}` : type);
  const request = of(method.requestStream, method.requestType);
  return `${method.name}(${request}) ${of(method.responseStream, method.responseType)}`;
}
