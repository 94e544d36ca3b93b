import { type GraphQLObjectType, getNamedType, isNonNullType, isObjectType } from 'graphql';
import type protobuf from 'protobufjs';
import { buildSchema } from '../src/protocols/graphql/schema/build-schema.ts';
import { loadContracts } from '../src/protocols/grpc/contracts.ts';
import { answerSchemas } from '../src/protocols/rest/openapi/answer-schemas.ts';
import { eventSchemas } from '../src/protocols/rest/openapi/event-schemas.ts';
import { ref } from '../src/protocols/rest/openapi/parts.ts';

type Json = Readonly<Record<string, unknown>>;

const eventTypes = ['purchase', 'return', 'refund'];

/** What the messages of the streams are made of, out of the contracts of the protocols. */
export function streamSchemas() {
  const { EventInput, ...ofEvents } = eventSchemas(eventTypes);
  const { Problem, ErrorDetail, ErrorCode } = answerSchemas();
  return {
    ...ofEvents,
    Problem,
    ErrorDetail,
    ErrorCode,
    ...feedSchemas,
    GraphqlEvent: ofGraphql('Event'),
    GrpcEvent: ofGrpc('Event'),
    GrpcStreamRequest: ofGrpc('StreamRequest'),
    GrpcFilter: ofGrpc('Filter'),
    GrpcEventRequest: ofGrpc('EventRequest'),
    GrpcEventResponse: ofGrpc('EventResponse'),
    ...logSchemas(ofEvents.Event),
  };
}

const place = { oneOf: [ref('Position'), { type: 'null' }] };
const feedSchemas = {
  CaughtUp: closed({ position: { ...place, description: 'Null in an empty log.' } }),
  Control: {
    oneOf: [
      closed({ control: { const: 'caught-up' }, position: place }),
      closed({ control: { const: 'position' }, position: ref('Position') }),
      closed({ control: { const: 'error' }, problem: ref('Problem') }),
    ],
  },
  Subscribe: closed({
    id: { type: 'string' },
    type: { const: 'subscribe' },
    payload: {
      type: 'object',
      required: ['query'],
      properties: { query: { type: 'string' }, variables: { type: 'object' } },
    },
  }),
  Next: closed({ id: { type: 'string' }, type: { const: 'next' }, payload: ref('Execution') }),
  Execution: {
    type: 'object',
    description: 'With the fields of the event that were asked for.',
    additionalProperties: false,
    properties: {
      data: { type: ['object', 'null'], properties: { eventStream: ref('GraphqlEvent') } },
      errors: { type: 'array', items: ref('GraphqlError') },
    },
  },
  SubscriptionError: closed({
    id: { type: 'string' },
    type: { const: 'error' },
    payload: { type: 'array', items: ref('GraphqlError') },
  }),
  GraphqlError: {
    type: 'object',
    required: ['message', 'extensions'],
    properties: {
      message: { type: 'string' },
      extensions: {
        type: 'object',
        required: ['code'],
        properties: { code: ref('ErrorCode'), position: ref('Position') },
      },
    },
  },
};

/** What the logs keep: an event before it has a position. */
function logSchemas({ required, properties }: { required: string[]; properties: Json }) {
  const { position, ...kept } = properties;
  const { id, metadata, ...same } = kept;
  return {
    LogEvent: {
      type: 'object',
      required: required.filter((name) => name !== 'position'),
      properties: kept,
      additionalProperties: false,
    },
    RedisEntry: traced({
      event_id: id,
      ...same,
      metadata: { type: 'string', description: 'JSON, or empty.' },
    }),
    KafkaHeaders: traced({
      'content-type': { const: 'application/json' },
      event_id: ref('EventId'),
      event_type: ref('EventType'),
    }),
  };
}

/** An object of these members, and of two more where the event came in a trace that is collected. */
function traced(properties: Json) {
  const schema = closed(properties);
  const traceparent = {
    type: 'string',
    pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-01$',
    description:
      'Where the event came to be, by W3C Trace Context; only of a hub that sends traces.',
  };
  const tracestate = { type: 'string', description: 'What others added to it.' };
  return { ...schema, properties: { ...properties, traceparent, tracestate } };
}

/** An object of just these members, all of which are there. */
function closed(properties: Json) {
  return {
    type: 'object',
    required: Object.keys(properties),
    properties,
    additionalProperties: false,
  };
}

/** A type of the GraphQL schema; a subscription gives those of its fields that were asked for. */
function ofGraphql(name: string) {
  const type = buildSchema().getType(name);
  if (!isObjectType(type)) throw new Error(`the GraphQL schema has no type ${name}`);
  return { type: 'object', additionalProperties: false, properties: graphqlFields(type) };
}

function graphqlFields(type: GraphQLObjectType) {
  const fields = Object.values(type.getFields()).map(({ name, type: of, description }) => {
    const json = graphqlTypes[getNamedType(of).name];
    if (json === undefined) throw new Error(`no JSON type is known for ${String(of)}`);
    return [name, { type: isNonNullType(of) ? json : [json, 'null'], description }];
  });
  return Object.fromEntries(fields);
}

const graphqlTypes: Readonly<Record<string, string>> = {
  ID: 'string',
  String: 'string',
  Float: 'number',
  JSON: 'object',
};

/** A message of the gRPC contract, by its field names. */
function ofGrpc(name: string) {
  const { fieldsArray } = loadContracts().root.lookupType(`event_hub.v1.${name}`);
  const properties = Object.fromEntries(fieldsArray.map((field) => [field.name, grpcType(field)]));
  return { type: 'object', additionalProperties: false, properties };
}

function grpcType({ type, repeated }: protobuf.Field) {
  const one = grpcTypes[type] ?? ref(`Grpc${type}`);
  return repeated ? { type: 'array', items: one } : one;
}

const grpcTypes: Readonly<Record<string, object>> = {
  string: { type: 'string' },
  double: { type: 'number' },
  int32: { type: 'integer' },
  bool: { type: 'boolean' },
  'google.protobuf.Struct': { type: 'object' },
};
