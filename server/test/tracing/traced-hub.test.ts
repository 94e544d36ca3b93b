import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { openEngines } from '../../src/main/engines.ts';
import type { HubOptions } from '../../src/main.ts';
import { FeedReader } from '../protocols/drivers/feed-reader.ts';
import { openDrivers } from '../protocols/drivers/open-drivers.ts';
import { GrpcClient } from '../protocols/grpc/grpc-client.ts';
import { capturedLog } from '../support/captured-log.ts';
import { type Collector, startCollector } from '../support/otlp/collector.ts';
import { tracedBy } from '../support/otlp/traced-settings.ts';
import { anInput, postEvents } from '../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const callerSpan = '00f067aa0ba902b7';
const caller = { traceparent: `00-${traceId}-${callerSpan}-01` };

describe('a hub that is traced', () => {
  let collector: Collector;
  let hub: TestHub | undefined;

  beforeEach(async () => {
    collector = await startCollector();
  });
  afterEach(async () => {
    await hub?.remove();
    hub = undefined;
    await collector.close();
    vi.unstubAllEnvs();
  });

  const start = async (
    variables: Readonly<Record<string, string>> = {},
    options: HubOptions = {},
  ): Promise<TestHub> => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...variables };
    hub = await startTestHub(tracedBy(env), options);
    return hub;
  };
  const ofKind = (kind: string, count: number) =>
    collector.until(count, (span) => span.kind === kind);

  it('has a span for what goes together of a stream of gRPC, while that goes on', async () => {
    const { grpcAddress } = await start();
    const client = new GrpcClient(grpcAddress);
    const call = client.duplex('SendEvents', { metadata: caller });
    for (let sent = 1; sent <= 3; sent += 1) {
      call.write({ user_id: 'u', event_type: 'purchase', amount_exact: '1' });
      const [answer] = await once(call, 'data');
      expect(answer.status).toBe('success');
      const servers = await ofKind('SERVER', sent);
      expect(servers.at(-1)).toMatchObject({
        name: 'event_hub.v1.EventService/SendEvents',
        traceId,
        parentSpanId: callerSpan,
        attributes: {
          'rpc.system': 'grpc',
          'rpc.service': 'event_hub.v1.EventService',
          'rpc.method': 'SendEvents',
          'rpc.grpc.status_code': 0,
        },
      });
      const published = await ofKind('PRODUCER', sent);
      expect(published.at(-1)?.parentSpanId).toBe(servers.at(-1)?.spanId);
    }
    call.end();
    await once(call, 'end');
    client.close();
  });

  it('has a span of a request that is refused, which is no error of the hub', async () => {
    const { url, grpcAddress } = await start();
    expect((await postEvents(url, '{', caller)).status).toBe(400);
    const [byRest] = await ofKind('SERVER', 1);
    expect(byRest?.attributes['http.response.status_code']).toBe(400);
    const client = new GrpcClient(grpcAddress);
    const call = client.call('SendEvent', { user_id: 'u' }, { metadata: caller });
    expect((await client.failure(call)).code).toBe(3);
    client.close();
    const [, byGrpc] = await ofKind('SERVER', 2);
    expect(byGrpc?.attributes['rpc.grpc.status_code']).toBe(3);
    expect([byRest?.isError, byGrpc?.isError]).toEqual([false, false]);
    expect(collector.spans.filter(({ kind }) => kind === 'PRODUCER')).toEqual([]);
  });

  it('publishes for a WebSocket in the trace of its upgrade', async () => {
    const { url } = await start();
    class TracedSocket extends WebSocket {
      constructor(address: string, protocols: string) {
        super(address, protocols, { headers: caller });
      }
    }
    const client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: TracedSocket,
      retryAttempts: 0,
    });
    const query =
      'mutation { sendEvent(input: { userId: "u", eventType: "purchase", amount: 1 }) { id } }';
    const { value } = await client.iterate({ query }).next();
    expect(value.errors).toBeUndefined();
    const [publish] = await ofKind('PRODUCER', 1);
    expect(publish).toMatchObject({ traceId, parentSpanId: callerSpan });
    await client.dispose();
  });

  it('tells of each live transport by its name', async () => {
    const address = await start();
    const drivers = openDrivers(address);
    await postEvents(address.url, anInput());
    const readers = drivers.feeds.map((driver) => new FeedReader(driver, { after: 'start' }));
    await Promise.all(readers.map((reader) => reader.event()));
    await postEvents(address.url, anInput(), caller);
    await Promise.all(readers.map((reader) => reader.event()));
    await Promise.all(readers.map((reader) => reader.leave()));
    const delivered = await collector.until(
      readers.length,
      (span) => span.kind === 'CONSUMER' && span.traceId === traceId,
    );
    const transports = delivered.map(({ attributes }) => attributes['event_hub.transport']);
    expect(transports.sort()).toEqual(['graphql-sse', 'graphql-ws', 'grpc', 'ndjson', 'sse']);
    await drivers.close();
  });

  it('names the trace in the lines of its log, and a refusal only that of its caller', async () => {
    const { logger, lines } = capturedLog();
    const { url } = await start(
      {},
      {
        logger,
        openEngines: async (own, options) => {
          const engines = await openEngines(own, options);
          const append = () => Promise.reject(new Error('the engine is broken'));
          return { ...engines, log: { ...engines.log, append } };
        },
      },
    );
    const answer = await postEvents(url, anInput(), caller);
    expect(answer.status).toBe(500);
    expect(answer.json.request_id).toBe(traceId);
    const [server] = await ofKind('SERVER', 1);
    const [publish] = await ofKind('PRODUCER', 1);
    expect(server).toMatchObject({ isError: true, attributes: { 'error.type': '500' } });
    expect(answer.text).not.toContain(server?.spanId);
    expect(publish).toMatchObject({ isError: true, attributes: { 'error.type': 'internal' } });
    const errors = lines.filter(({ level }) => level === 50);
    expect(errors.length).toBeGreaterThan(0);
    for (const line of errors) {
      expect(line).toMatchObject({ trace_id: traceId, span_id: server?.spanId });
    }
  });

  it('takes events as ever while the collector answers nothing, and forgets spans over its bound', async () => {
    const { url, stop } = await start({
      OTEL_BSP_MAX_QUEUE_SIZE: '8',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4',
      OTEL_EXPORTER_OTLP_TIMEOUT: '3600000',
      OTEL_BSP_EXPORT_TIMEOUT: '3600000',
    });
    collector.behave('hang');
    for (let sent = 0; sent < 40; sent += 1) {
      expect((await postEvents(url, anInput(), caller)).status).toBe(201);
    }
    await collector.asked(1);
    collector.behave('take');
    await stop();
    // Two spans for each event came to be; no more than the queue holds were left of them.
    expect(collector.spans.length).toBeGreaterThan(0);
    expect(collector.spans.length).toBeLessThanOrEqual(8);
  });

  it('sends what is finished before it ends', async () => {
    const { url, stop } = await start({ OTEL_BSP_SCHEDULE_DELAY: '3600000' });
    await postEvents(url, anInput(), caller);
    expect(collector.spans).toEqual([]);
    await stop();
    expect(collector.spans.map(({ name }) => name).sort()).toEqual([
      'POST /events',
      'publish events',
    ]);
  });
});
