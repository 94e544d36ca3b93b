import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv, type AnySchema } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asyncApiDocument } from '../scripts/async-api.ts';
import { printYaml } from '../scripts/print-yaml.ts';
import { toRecord } from '../src/log/kafka/kafka-record.ts';
import { version } from '../src/version.ts';
import { graphqlNeeds, grpcNeeds, httpNeeds } from './auth/operation-scopes.ts';
import { openSocket, type TestSocket } from './protocols/graphql/test-socket.ts';
import { GrpcClient } from './protocols/grpc/grpc-client.ts';
import { anEvent } from './support/build-event.ts';
import { freshName, sharedRedis } from './support/engines/shared-engines.ts';
import { describeWith, describeWithEngines } from './support/needed-program.ts';
import { type OpenStream, openStream } from './support/read-stream.ts';
import { readYaml } from './support/read-yaml.ts';
import { command, openLog } from './support/redis-harness.ts';
import { postEvents } from './support/rest-calls.ts';
import { repository } from './support/source-files.ts';
import { startTestHub, type TestHub } from './support/start-test-hub.ts';

interface Message {
  readonly payload: object;
  readonly headers?: object;
}

interface AsyncApi {
  readonly channels: Readonly<
    Record<string, { address: string; messages: Readonly<Record<string, Message>> }>
  >;
  readonly operations: Readonly<
    Record<string, { readonly channel: { readonly $ref: string }; readonly description?: string }>
  >;
  readonly components: object;
}

const path = 'contracts/asyncapi.yaml';
const document = asyncApiDocument(version) as unknown as AsyncApi;

const aTrace = {
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  tracestate: 'vendor=1',
};

describe('contracts/asyncapi.yaml', () => {
  it('is what the code prints: run `npm run contracts` after a change', () => {
    const file = readFileSync(join(repository, path), 'utf8');
    expect(file).toBe(printYaml(document));
  });

  it('is a document of AsyncAPI 3.0, by its own schema', () => {
    expect(faultsOf(asyncApiSchema(), document)).toEqual([]);
    const { channels, ...broken } = document;
    const renamed = { ...broken, channel: channels };
    expect(faultsOf(asyncApiSchema(), renamed)).not.toEqual([]);
  });

  it('asks for the scopes that the hub asks for', () => {
    const needed: Readonly<Record<string, string>> = {
      eventsStream: httpNeeds['GET /events/stream'],
      graphql: graphqlNeeds['subscription eventStream'],
      ...byCall('streamEvents', 'sendEvents'),
    };
    for (const { channel, description = '' } of Object.values(document.operations)) {
      const scope = needed[channel.$ref.split('/').at(-1) ?? ''];
      expect(/the scope (\S+)/.exec(description)?.[1]).toBe(scope);
    }
  });

  it('refers only to what it has', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)];
    expect(refs.length).toBeGreaterThan(50);
    const at = (pointer: string) =>
      pointer.split('/').reduce<unknown>((value, key) => (value as never)?.[key], document);
    expect(refs.map(([, to = '']) => to).filter((to) => at(to) === undefined)).toEqual([]);
  });
});

describeWith('its YAML', 'python', (python) => {
  it('says to a YAML reader what was meant', (context) => {
    expect(readYaml(context, python, path)).toEqual(JSON.parse(JSON.stringify(document)));
  });
});

describe('the messages of a hub', () => {
  let hub: TestHub;
  let grpc: GrpcClient;
  let socket: TestSocket;
  const streams: OpenStream[] = [];

  beforeAll(async () => {
    hub = await startTestHub();
    grpc = new GrpcClient(hub.grpcAddress);
    const event = { id: 'order-1', user_id: 'anna', event_type: 'purchase', amount: '1.5' };
    await postEvents(hub.url, { ...event, metadata: { shop: 'north' } });
  });

  afterAll(async () => {
    for (const stream of streams) await stream.close();
    socket.socket.terminate();
    grpc.close();
    await hub.remove();
  });

  const stream = async (...of: Parameters<typeof openStream>) => {
    const opened = await openStream(...of);
    streams.push(opened);
    return opened;
  };
  const sse = async (name: string) => {
    const { data } = await (await stream(`${hub.url}/events/stream?after=start`)).frame(name);
    return JSON.parse(data ?? '');
  };
  const line = async (at: number) => {
    const accept = { accept: 'application/x-ndjson' };
    const lines = await stream(`${hub.url}/events/stream?after=start`, accept, '\n');
    let text: string | undefined;
    for (let index = 0; index <= at; index += 1) text = await lines.next();
    return JSON.parse(text ?? '');
  };
  const subscription = (after: string) =>
    `subscription { eventStream(after: "${after}") { ${graphqlFields()} } }`;
  const inSocket = async (message: object) => {
    socket.send(message);
    return await socket.next();
  };
  const subscribe = (id: string, after: string) => {
    return { id, type: 'subscribe', payload: { query: subscription(after) } };
  };

  /** One of each, as it comes from the hub or as a client may send it. */
  const heard: Readonly<Record<string, () => unknown>> = {
    'eventsStream/sseEvent': () => sse(''),
    'eventsStream/sseCaughtUp': () => sse('caught-up'),
    'eventsStream/line': () => line(0),
    'eventsStream/lineControl': () => line(1),
    'graphql/connectionInit': () => ({ type: 'connection_init' }),
    'graphql/connectionAck': async () => {
      // The hub waits a few seconds for what it answers here.
      socket = await openSocket(hub.url);
      return await inSocket({ type: 'connection_init' });
    },
    'graphql/subscribe': () => subscribe('1', 'start'),
    'graphql/next': () => inSocket(subscribe('1', 'start')),
    'graphql/error': () => inSocket({ ...subscribe('2', ''), payload: { query: '{ nothing }' } }),
    'graphql/complete': () => ({ type: 'complete', id: '1' }),
    'graphql/sseNext': async () => {
      const query = new URLSearchParams({ query: subscription('start') });
      const accept = { accept: 'text/event-stream' };
      const { data } = await (await stream(`${hub.url}/graphql?${query}`, accept)).frame('next');
      return JSON.parse(data ?? '');
    },
    'streamEvents/request': () => ({ after: 'start', filter: { user_id: ['anna'] } }),
    'streamEvents/event': () => firstOf(grpc.stream('StreamEvents', { after: 'start' })),
    'sendEvents/event': () => ({ user_id: 'ben', event_type: 'refund', amount_exact: '1' }),
    'sendEvents/answer': () => {
      const call = grpc.duplex('SendEvents');
      call.end({ user_id: 'ben', event_type: 'refund', amount_exact: '1' });
      return firstOf(call);
    },
    'kafkaTopic/record': () => JSON.parse(String(toRecord(anEvent({ metadata: '{}' })).value)),
  };
  /** Seen where their tests are: a hub that ends a stream, and Redis. */
  const elsewhere = ['eventsStream/sseError', 'redisStream/entry'];

  it('are all in the document, and none besides', () => {
    const all = Object.entries(document.channels).flatMap(([channel, { messages }]) =>
      Object.keys(messages).map((name) => `${channel}/${name}`),
    );
    expect([...Object.keys(heard), ...elsewhere].sort()).toEqual(all.sort());
  });

  it.each(Object.keys(heard))('are as it says: %s', async (name) => {
    const message = await heard[name]?.();
    expect(faultsOf(payloadOf(name), message), JSON.stringify(message)).toEqual([]);
    expect(faultsOf(payloadOf(name), { other: 1 })).not.toEqual([]);
  });

  it('are as it says: eventsStream/sseError', async () => {
    const gone = { 'last-event-id': `${'0'.repeat(15)}9-00000000-00000000` };
    const { data } = await (await stream(`${hub.url}/events/stream`, gone)).frame('error');
    const problem = JSON.parse(data ?? '');
    expect(problem.code).toBe('position_gone');
    expect(faultsOf(payloadOf('eventsStream/sseError'), problem)).toEqual([]);
  });

  it('have the headers that it says, on Kafka', () => {
    const { headers: schema } = document.channels.kafkaTopic?.messages.record ?? {};
    for (const [trace, count] of [[undefined, 3] as const, [aTrace, 5] as const]) {
      const headers = [...toRecord(anEvent(), trace).headers].map((pair) => pair.map(String));
      expect(headers).toHaveLength(count);
      expect(faultsOf(schema ?? {}, Object.fromEntries(headers))).toEqual([]);
    }
  });
});

describeWithEngines('an entry in Redis', ['redis'], () => {
  it('is as contracts/asyncapi.yaml says', async () => {
    const [server, name] = [await sharedRedis(), freshName('events')];
    const log = await openLog(`${server}/0?stream=${name}`);
    await log.append([
      { events: [anEvent()], atomic: false },
      { events: [anEvent()], atomic: false, trace: aTrace },
    ]);
    const entries = (await command(server, 'XRANGE', name, '-', '+')) as [string, string[]][];
    await log.close();
    await command(server, 'DEL', name, `${name}:hub`, `${name}:ids`);
    expect(entries.map(([, texts]) => texts.length / 2)).toEqual([8, 10]);
    for (const [, texts] of entries) {
      const pairs = texts.flatMap((key, at) => (at % 2 === 0 ? [[key, texts[at + 1]]] : []));
      expect(faultsOf(payloadOf('redisStream/entry'), Object.fromEntries(pairs))).toEqual([]);
    }
  });
});

/** Channels of gRPC have the name of their call as their address. */
function byCall(...channels: readonly string[]): Readonly<Record<string, string>> {
  const needs: Readonly<Record<string, string>> = grpcNeeds;
  return Object.fromEntries(
    channels.map((name) => [name, needs[document.channels[name]?.address ?? ''] ?? 'none']),
  );
}

function graphqlFields(): string {
  const { schemas } = document.components as {
    schemas: Record<string, { properties: Record<string, unknown> }>;
  };
  return Object.keys(schemas.GraphqlEvent?.properties ?? {}).join(' ');
}

async function firstOf(messages: AsyncIterable<unknown>): Promise<unknown> {
  for await (const message of messages) return message;
  throw new Error('the stream ended without a message');
}

function payloadOf(name: string): object {
  const [channel = '', message = ''] = name.split('/');
  return document.channels[channel]?.messages[message]?.payload ?? {};
}

function asyncApiSchema(): object {
  return createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0-without-$id.json');
}

/** What a validator of JSON Schema finds; references in `schema` are those of the document. */
function faultsOf(schema: object, value: unknown): readonly string[] {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const isOurs = !('definitions' in schema);
  const validate = ajv.compile(
    (isOurs ? { ...schema, components: document.components } : schema) as AnySchema,
  );
  validate(value);
  return (validate.errors ?? []).map((fault) => `${fault.instancePath} ${fault.message}`);
}
