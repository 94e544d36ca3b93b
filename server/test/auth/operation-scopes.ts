import type { Action } from '../../src/auth/caller.ts';

/** A scope; `any` for any credential that holds; `open` for none. */
export type Needs = Action | 'any' | 'open';

type NeedsByOperation = Readonly<Record<string, Needs>>;

/**
 * What every operation of the hub asks for: the promise that the matrix test
 * tries out and that the table in docs/operate.md tells. An operation that is
 * missing here fails both.
 */

/** The routes of the HTTP server, those of contracts/openapi.json among them. */
export const httpNeeds = {
  'POST /events': 'events:write',
  'GET /events': 'events:read',
  'GET /events/{id}': 'events:read',
  'GET /events/stream': 'events:read',
  'GET /aggregates': 'aggregates:read',
  'GET /aggregates/series': 'aggregates:read',
  'GET /metrics': 'metrics:read',
  'GET /log-level': 'admin',
  'PUT /log-level': 'admin',
  // By operation: see graphqlNeeds.
  'POST /graphql': 'any',
  'GET /graphql': 'any',
  'GET /livez': 'open',
  'GET /readyz': 'open',
  'GET /healthz': 'open',
  'GET /': 'open',
  'GET /docs': 'open',
  'GET /docs/errors': 'open',
  'GET /docs/assets/{name}': 'open',
  'GET /graphql/assets/{name}': 'open',
  'GET /openapi.json': 'open',
  'GET /favicon.ico': 'open',
} as const satisfies NeedsByOperation;

/** The calls of all services, those of contracts/event_hub.proto among them. */
export const grpcNeeds = {
  'event_hub.v1.EventService/SendEvent': 'events:write',
  'event_hub.v1.EventService/SendEventBatch': 'events:write',
  'event_hub.v1.EventService/SendEvents': 'events:write',
  'event_hub.v1.EventService/StreamEvents': 'events:read',
  'event_hub.v1.EventService/GetEvent': 'events:read',
  'event_hub.v1.EventService/ListEvents': 'events:read',
  'event_hub.v1.EventService/AggregatedMetrics': 'aggregates:read',
  'grpc.reflection.v1.ServerReflection/ServerReflectionInfo': 'any',
  'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': 'any',
  'grpc.health.v1.Health/Check': 'open',
  'grpc.health.v1.Health/List': 'open',
  'grpc.health.v1.Health/Watch': 'open',
} as const satisfies NeedsByOperation;

/** The fields of contracts/schema.graphql, over each transport. */
export const graphqlNeeds = {
  'query lastEvents': 'events:read',
  'query event': 'events:read',
  'query events': 'events:read',
  'query aggregatedMetrics': 'aggregates:read',
  'query metricsSeries': 'aggregates:read',
  'query __schema': 'any',
  'mutation sendEvent': 'events:write',
  'mutation sendEvents': 'events:write',
  'subscription eventStream': 'events:read',
} as const satisfies NeedsByOperation;
