import { type ServiceError, status as grpcStatus } from '@grpc/grpc-js';
import type { Shown } from '../protocols/drivers/protocol-driver.ts';
import { graphqlType } from '../protocols/graphql/graphql-calls.ts';
import { openSocket } from '../protocols/graphql/test-socket.ts';
import { all, type GrpcClient, type Message, take } from '../protocols/grpc/grpc-client.ts';
import { openStream } from '../support/read-stream.ts';

import type { graphqlNeeds, grpcNeeds, httpNeeds } from './operation-scopes.ts';

export type HttpOperation = keyof typeof httpNeeds;
export type GrpcOperation = keyof typeof grpcNeeds;
export type GraphqlOperation = keyof typeof graphqlNeeds;

/** The id of an event that is there before any of these calls. */
export const knownId = 'known';
const event = { user_id: 'u', event_type: 'purchase', amount: '1' };

/** What to send beside the operation, where a bare call would not do. */
const httpRequests: Partial<Record<HttpOperation, { path?: string; body?: object }>> = {
  'POST /events': { body: event },
  'GET /events/{id}': { path: `/events/${knownId}` },
  'GET /events/stream': { path: '/events/stream?follow=false' },
  'GET /docs/assets/{name}': { path: '/docs/assets/docs.js' },
  'GET /graphql/assets/{name}': { path: '/graphql/assets/graphiql.css' },
  'PUT /log-level': { body: { level: 'silent' } },
  'POST /graphql': { body: { query: '{ __typename }' } },
  'GET /graphql': { path: `/graphql?query=${encodeURIComponent('{ __typename }')}` },
};

/** `success`, or the status, the code and what the client is challenged with. */
export async function callHttp(url: string, operation: HttpOperation, shown: Shown) {
  const [method = '', path = ''] = operation.split(' ');
  const { path: target = path, body } = httpRequests[operation] ?? {};
  const response = await fetch(url + target, {
    method,
    headers: { accept: graphqlAccept(path), 'content-type': 'application/json', ...shown },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return response.ok ? 'success' : refusalOf(response, JSON.parse(text));
}

const graphqlAccept = (path: string) => (path === '/graphql' ? graphqlType : '*/*');

interface Refusal {
  readonly code?: string;
  readonly errors?: readonly { readonly extensions?: { readonly code: string } }[];
}

function refusalOf({ status, headers }: Response, { code, errors }: Refusal): string {
  const challenge = headers.get('www-authenticate')?.split(' ')[0];
  const said = [status, code ?? errors?.[0]?.extensions?.code, challenge];
  return said.filter((each) => each !== undefined).join(' ');
}

const grpcRequests: Partial<Record<GrpcOperation, Message>> = {
  'event_hub.v1.EventService/SendEvent': { ...event, amount: 1 },
  'event_hub.v1.EventService/SendEventBatch': { events: [{ ...event, amount: 1 }] },
  'event_hub.v1.EventService/SendEvents': { ...event, amount: 1 },
  'event_hub.v1.EventService/GetEvent': { id: knownId },
  'grpc.reflection.v1.ServerReflection/ServerReflectionInfo': { list_services: '' },
  'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': { list_services: '' },
};

/** `success`, or the status and the reason. */
export async function callGrpc(client: GrpcClient, operation: GrpcOperation, metadata: Shown) {
  const path = `/${operation}`;
  const request = grpcRequests[operation] ?? {};
  try {
    const answers = await answersOf(client, path, request, metadata);
    const isRefused = answers.some(({ status }) => status === 'error');
    return answers.length === 0 || isRefused ? JSON.stringify(answers) : 'success';
  } catch (reason) {
    const { code, reason: why } = client.read(reason as ServiceError);
    return `${grpcStatus[code]} ${why}`;
  }
}

async function answersOf(
  client: GrpcClient,
  path: string,
  request: Message,
  metadata: Shown,
): Promise<readonly Message[]> {
  if (/SendEvents$|ServerReflectionInfo$/.test(path)) {
    const stream = client.duplex(path, { metadata });
    stream.write(request);
    stream.end();
    return await all(stream);
  }
  if (path.endsWith('/StreamEvents')) return await all(client.stream(path, request, { metadata }));
  if (!path.endsWith('/Watch')) return [await client.call(path, request, { metadata })];
  const watch = client.stream(path, request, { metadata });
  const answers = await take(watch, 1);
  watch.on('error', () => undefined);
  watch.cancel();
  return answers;
}

const input = { userId: 'u', eventType: 'purchase', amount: '1' };

const graphqlRequests: Record<GraphqlOperation, { query: string; variables?: object }> = {
  'query lastEvents': { query: '{ lastEvents { id } }' },
  'query event': { query: '{ event(id: "known") { id } }' },
  'query events': { query: '{ events { edges { node { id } } } }' },
  'query aggregatedMetrics': { query: '{ aggregatedMetrics { eventCount } }' },
  'query metricsSeries': { query: '{ metricsSeries(minutes: 1) { step } }' },
  'query __schema': { query: '{ __schema { queryType { name } } }' },
  'mutation sendEvent': {
    query: 'mutation ($input: EventInput!) { sendEvent(input: $input) { status } }',
    variables: { input },
  },
  'mutation sendEvents': {
    query: 'mutation ($inputs: [EventInput!]!) { sendEvents(inputs: $inputs) { accepted } }',
    variables: { inputs: [input] },
  },
  'subscription eventStream': {
    query: 'subscription { eventStream(after: "start") { id } }',
  },
};

/** As a whole answer: no subscription. */
export async function callGraphql(url: string, operation: GraphqlOperation, shown: Shown) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { accept: graphqlType, 'content-type': 'application/json', ...shown },
    body: JSON.stringify(graphqlRequests[operation]),
  });
  const result = JSON.parse(await response.text());
  if (response.status === 401 || response.status === 400) return refusalOf(response, result);
  return resultOf(result);
}

/** By server-sent events: the first result. */
export async function callGraphqlStream(url: string, operation: GraphqlOperation, shown: Shown) {
  const headers = { accept: 'text/event-stream', 'content-type': 'application/json', ...shown };
  const body = JSON.stringify(graphqlRequests[operation]);
  const stream = await openStream(`${url}/graphql`, headers, '\n\n', { method: 'POST', body });
  try {
    const { response } = stream;
    if (!response.ok) return refusalOf(response, JSON.parse(await response.text()));
    return resultOf(JSON.parse((await stream.frame('next')).data ?? ''));
  } finally {
    await stream.close();
  }
}

/** Over a WebSocket of its own, with the credential in `connection_init`: the first result, or the close code. */
export async function callSocket(url: string, operation: GraphqlOperation, payload: Shown) {
  return await askSocket(await openSocket(url), operation, payload);
}

/** With the credential among the headers of the upgrade. */
export async function callSocketUpgraded(url: string, operation: GraphqlOperation, headers: Shown) {
  return await askSocket(await openSocket(url, { headers }), operation, undefined);
}

async function askSocket(
  { socket, send, next, closed }: Awaited<ReturnType<typeof openSocket>>,
  operation: GraphqlOperation,
  payload: Shown | undefined,
): Promise<string> {
  send({ type: 'connection_init', ...(payload === undefined ? {} : { payload }) });
  const first = await Promise.race([next().catch(() => closed), closed]);
  if (first.type !== 'connection_ack') return `closed ${first.code}`;
  send({ id: '1', type: 'subscribe', payload: graphqlRequests[operation] });
  const answer = await next();
  socket.close();
  return resultOf(answer.type === 'error' ? { errors: answer.payload } : answer.payload);
}

function resultOf({ errors = [] }: Refusal): string {
  return errors[0] === undefined ? 'success' : String(errors[0].extensions?.code);
}
