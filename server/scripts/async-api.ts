import type { Action } from '../src/auth/caller.ts';
import { limits } from '../src/base/limits.ts';
import { ref, securitySchemes } from '../src/protocols/rest/openapi/parts.ts';
import { streamPaths } from '../src/protocols/rest/openapi/stream-path.ts';
import { streamSchemas } from './stream-schemas.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * The streams of a hub as an AsyncAPI 3 document: what `contracts/asyncapi.yaml`
 * prints. The schemas are those of the OpenAPI document, the GraphQL schema and
 * the gRPC contract, so that they cannot say different things.
 */
export function asyncApiDocument(version: string): Json {
  return {
    asyncapi: '3.0.0',
    info: { title: 'Event Hub', version, description: introduction, license: { name: 'MIT' } },
    defaultContentType: 'application/json',
    servers,
    channels: channels(),
    operations,
    components: {
      schemas: streamSchemas(),
      securitySchemes: {
        ...securitySchemes(),
        apiKey: { ...securitySchemes().apiKey, type: 'httpApiKey' },
      },
    },
  };
}

const introduction =
  "The live feeds of a hub, and the logs that others may read. Every feed is at-least-once, in log order, and is resumed from a position without a gap, over any of these protocols from any other's. What is asked and answered is in openapi.json, schema.graphql and event_hub.proto.";

const servers = {
  http: server('127.0.0.1:8000', 'http', 'Server-sent events, lines, and GraphQL over SSE.'),
  websocket: server('127.0.0.1:8000', 'ws', 'GraphQL over graphql-transport-ws.'),
  grpc: server('127.0.0.1:50051', 'grpc', 'HTTP/2 without TLS.'),
  redis: server('127.0.0.1:6379', 'redis', 'The log of the standard mode. Never write to it.'),
  kafka: server('127.0.0.1:9092', 'kafka', 'The log of the scale mode. Never write to it.'),
};

function server(host: string, protocol: string, description: string) {
  return { host, protocol, description };
}

function channels() {
  return {
    eventsStream: channel('/events/stream', ['http'], 'History after a position, then live.', {
      sseEvent: message('id: the position, data: the event, no event: field', ref('Event')),
      sseCaughtUp: message('event: caught-up, where history ends', ref('CaughtUp')),
      sseError: message('event: error, why the hub ends the stream', ref('Problem')),
      line: message('A line of application/x-ndjson that is an event', ref('Event')),
      lineControl: message('A line with the member control, which no event has', ref('Control')),
    }),
    graphql: channel('/graphql', ['websocket', 'http'], subscriptionText, {
      connectionInit: message('First, from the client', typed('connection_init')),
      connectionAck: message('The answer to it', typed('connection_ack')),
      subscribe: message('Asks for a subscription', ref('Subscribe')),
      next: message('An event, or the errors for which the subscription ends', ref('Next')),
      error: message('Why an operation could not begin', ref('SubscriptionError')),
      complete: message('Ends it, from either side', typed('complete', 'id')),
      sseNext: message('event: next, the same over server-sent events', ref('Execution')),
    }),
    streamEvents: channel('event_hub.v1.EventService/StreamEvents', ['grpc'], grpcText, {
      request: message('What to follow', ref('GrpcStreamRequest')),
      event: message('An event', ref('GrpcEvent')),
    }),
    sendEvents: channel('event_hub.v1.EventService/SendEvents', ['grpc'], ingestText, {
      event: message('An event to store', ref('GrpcEventRequest')),
      answer: message('What became of it', ref('GrpcEventResponse')),
    }),
    redisStream: channel('events', ['redis'], 'As XRANGE events - + shows it.', {
      entry: message('An entry: fields and values are text', ref('RedisEntry')),
    }),
    kafkaTopic: channel('events', ['kafka'], kafkaText, {
      record: {
        ...message('A record; an id may come twice, and the first one counts', ref('LogEvent')),
        headers: ref('KafkaHeaders'),
        bindings: { kafka: { key: { type: 'string', description: 'The user_id.' } } },
      },
    }),
  };
}

const subscriptionText =
  'subscription eventStream(after:, filter:) over graphql-transport-ws, or by POST with Accept: text/event-stream.';
const grpcText = 'Messages are protobuf by event_hub.proto; here as JSON with its field names.';
const ingestText = 'One answer for each event, in order, with many on their way at once.';
const kafkaText = 'Partitioned by user. The position is not in it: it is the place of the record.';

function channel(address: string, names: readonly string[], description: string, messages: Json) {
  const at = names.map((name) => ({ $ref: `#/servers/${name}` }));
  return { address, description, servers: at, messages };
}

function message(summary: string, payload: object) {
  return { summary, payload };
}

function typed(type: string, ...others: readonly string[]) {
  const rest = others.map((name) => [name, { type: 'string' }]);
  return {
    type: 'object',
    required: ['type', ...others],
    properties: { ...Object.fromEntries(rest), type: { const: type } },
  };
}

function operation(
  action: 'send' | 'receive',
  name: string,
  messages: readonly string[],
  rest: { readonly summary: string; readonly bindings?: Json },
) {
  const scope = scopes[name];
  return {
    action,
    channel: { $ref: `#/channels/${name}` },
    ...rest,
    ...(scope === undefined ? {} : needs(scope)),
    messages: messages.map((each) => ({ $ref: `#/channels/${name}/messages/${each}` })),
  };
}

/** What a caller must have, by channel; the logs ask for what their engines ask for. */
const scopes: Readonly<Record<string, Action>> = {
  eventsStream: 'events:read',
  graphql: 'events:read',
  streamEvents: 'events:read',
  sendEvents: 'events:write',
};

function needs(scope: Action) {
  const names = Object.keys(securitySchemes());
  return {
    description: `Asks for a credential with the scope ${scope} once a key was made or a token issuer named.`,
    security: names.map((name) => ({ $ref: `#/components/securitySchemes/${name}` })),
  };
}

const query = {
  type: 'object',
  properties: Object.fromEntries(
    streamPaths()['/events/stream'].get.parameters.flatMap((parameter) =>
      parameter.in === 'query' ? [[parameter.name, parameter.schema]] : [],
    ),
  ),
};
const overHttp = { http: { method: 'GET', query, bindingVersion: '0.3.0' } };

/** `send` is what the hub sends, `receive` what it takes. */
const operations = {
  followBySse: operation('send', 'eventsStream', ['sseEvent', 'sseCaughtUp', 'sseError'], {
    summary: `Server-sent events; every ${limits.heartbeatMs / 1000} s a comment.`,
    bindings: overHttp,
  }),
  followByLines: operation('send', 'eventsStream', ['line', 'lineControl'], {
    summary: 'With Accept: application/x-ndjson; a blank line is a heartbeat.',
    bindings: overHttp,
  }),
  subscribe: operation('receive', 'graphql', ['connectionInit', 'subscribe', 'complete'], {
    summary: 'What a client sends on a WebSocket.',
  }),
  followByGraphql: operation(
    'send',
    'graphql',
    ['connectionAck', 'next', 'error', 'complete', 'sseNext'],
    { summary: 'What it gets.' },
  ),
  followByGrpc: operation('send', 'streamEvents', ['event'], {
    summary: 'The newest events or those after a position, and with follow what comes.',
  }),
  askByGrpc: operation('receive', 'streamEvents', ['request'], { summary: 'One request.' }),
  ingestByGrpc: operation('receive', 'sendEvents', ['event'], { summary: 'Events to store.' }),
  answerByGrpc: operation('send', 'sendEvents', ['answer'], { summary: 'One answer for each.' }),
  appendToRedis: operation('send', 'redisStream', ['entry'], { summary: 'The log on Redis.' }),
  appendToKafka: operation('send', 'kafkaTopic', ['record'], { summary: 'The log on Kafka.' }),
};
