import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEngines } from '../../src/main/engines.ts';
import { capturedLog, type LogLine } from '../support/captured-log.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';
import { graphqlType, run, sendEvent } from './graphql/graphql-calls.ts';
import { openSocket } from './graphql/test-socket.ts';
import { all, GrpcClient } from './grpc/grpc-client.ts';

const input = { userId: 'u1', eventType: 'purchase', amount: '1' };
const message = { user_id: 'u1', event_type: 'purchase', amount: 1 };
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

let clock: ManualClock;
let hub: TestHub;
let grpc: GrpcClient;
const { logger, lines } = capturedLog();

/** A hub whose log fails in a way that nobody foresaw, and whose store does too. */
beforeAll(async () => {
  clock = manualClock(Date.now());
  hub = await startTestHub(
    {},
    {
      clock,
      logger,
      openEngines: async (settings, options) => {
        const engines = await openEngines(settings, options);
        const broken = async () => {
          throw new Error('a cause that stays inside');
        };
        const log = { ...engines.log, append: broken };
        return { ...engines, log, store: { ...engines.store, find: broken } };
      },
    },
  );
  grpc = new GrpcClient(hub.grpcAddress);
});
afterAll(async () => {
  grpc.close();
  await hub.remove();
});
beforeEach(async () => {
  // The line of events that could not be appended comes once a second.
  await clock.advance(1_000);
  (lines as LogLine[]).length = 0;
});

function expectLines(requestId: string): void {
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(line).toMatchObject({ level: 50, request_id: requestId });
}

const sends: Readonly<Record<string, (headers: Record<string, string>) => Promise<unknown>>> = {
  'an event by REST': (headers) => postEvents(hub.url, anInput(), headers),
  'a batch by REST': (headers) => postEvents(hub.url, [anInput(), anInput()], headers),
  'an event by GraphQL': (headers) => run(hub.url, sendEvent, { input }, headers),
  'an event by GraphQL with an answer as a stream': async (headers) => {
    const body = JSON.stringify({ query: sendEvent, variables: { input } });
    const sent = { 'content-type': 'application/json', accept: 'text/event-stream', ...headers };
    return await (
      await fetch(`${hub.url}/graphql`, { method: 'POST', headers: sent, body })
    ).text();
  },
  'an event over a WebSocket': async (headers) => {
    const { socket, send, next } = await openSocket(hub.url, { headers });
    send({ type: 'connection_init' });
    await next();
    send({ id: '1', type: 'subscribe', payload: { query: sendEvent, variables: { input } } });
    expect((await next()).payload.errors[0].extensions.code).toBe('internal');
    socket.close();
  },
  'an event by gRPC': (metadata) => grpc.call('SendEvent', message, { metadata }).catch(() => {}),
  'a batch by gRPC': (metadata) => grpc.call('SendEventBatch', { events: [message] }, { metadata }),
  'an event on a stream of gRPC': async (metadata) => {
    const stream = grpc.duplex('SendEvents', { metadata });
    stream.write(message);
    stream.end();
    return await all(stream);
  },
  'a listing by REST': (headers) => get(hub.url, '/events', headers),
  'a listing by GraphQL': (headers) =>
    run(hub.url, '{ events { edges { node { id } } } }', undefined, headers),
  'a listing by gRPC': (metadata) => grpc.call('ListEvents', {}, { metadata }).catch(() => {}),
};

describe('the lines of a request that fails', () => {
  it.each(Object.entries(sends))('carry the id that it came with: %s', async (_, send) => {
    await send({ 'x-request-id': 'order-17', traceparent });
    expectLines('order-17');
  });

  it.each(Object.entries(sends))('carry its trace where it has no other: %s', async (_, send) => {
    await send({ traceparent });
    expectLines(traceId);
  });

  it.each(Object.entries(sends))('carry one of its own else: %s', async (_, send) => {
    await send({});
    const { request_id: requestId } = lines[0] as LogLine & { request_id: string };
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expectLines(requestId);
  });
});

describe('the answer of a request that fails', () => {
  it('names the id of its lines in the problem and in a header', async () => {
    const { status, json, headers } = await postEvents(hub.url, anInput());
    expect(status).toBe(500);
    expectLines(json.request_id);
    expect(headers.get('x-request-id')).toBe(json.request_id);
  });

  it('names it in a header with GraphQL, also where it never became an operation', async () => {
    const failed = await run(hub.url, sendEvent, { input });
    expectLines(failed.headers.get('x-request-id') ?? '');
    const refused = await run(hub.url, '{', undefined, { 'x-request-id': 'order-18' });
    expect(refused.headers.get('x-request-id')).toBe('order-18');
    const unread = await fetch(`${hub.url}/graphql`, {
      method: 'POST',
      headers: { accept: graphqlType, 'x-request-id': 'order-19' },
      body: '{}',
    });
    expect(unread.status).toBe(415);
    expect(unread.headers.get('x-request-id')).toBe('order-19');
  });

  it('names it in the trailing metadata with gRPC', async () => {
    const reason = await grpc.call('SendEvent', message).catch((error: ServiceError) => error);
    const [requestId] = (reason as ServiceError).metadata.get('x-request-id');
    expectLines(String(requestId));
  });

  it('names no id where nothing failed', async () => {
    const { status, headers } = await get(hub.url, '/livez', { 'x-request-id': 'order-20' });
    expect(status).toBe(200);
    expect(headers.get('x-request-id')).toBeNull();
  });
});
