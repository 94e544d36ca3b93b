import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { limits } from '../../src/base/limits.ts';
import type { TraceContext, TracedEntry, Tracing } from '../../src/base/tracing.ts';
import { openTracing } from '../../src/tracing/open-tracing.ts';
import { capturedLog } from '../support/captured-log.ts';
import { type Collector, startCollector, startGrpcCollector } from '../support/otlp/collector.ts';
import { tracedBy } from '../support/otlp/traced-settings.ts';

const place = { system: 'redis', destination: 'events' };

describe('traces that are sent', () => {
  const toClose: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of toClose.splice(0).reverse()) await close();
    vi.unstubAllEnvs();
  });

  const collect = async (start: () => Promise<Collector> = startCollector) => {
    const collector = await start();
    toClose.push(collector.close);
    return collector;
  };
  const tryToOpen = async (variables: Readonly<Record<string, string>>) => {
    const { tracing: settings } = tracedBy(variables);
    if (settings === undefined) throw new Error('the variables ask for no traces');
    const { logger, lines } = capturedLog();
    const deps = { place, version: '1.2.3', clock: systemClock, logger };
    const tracing = await openTracing({ ...settings, ...deps });
    if (tracing !== undefined) toClose.push(tracing.close);
    return { tracing, lines };
  };
  const open = async (variables: Readonly<Record<string, string>>) => {
    const { tracing, lines } = await tryToOpen(variables);
    if (tracing === undefined) throw new Error('the variables make no exporter');
    return { tracing, lines };
  };
  const publishOne = (tracing: Tracing, parent?: TraceContext) => {
    const span = tracing.publish(parent, [{ id: 'e1' }]);
    span.end();
    return span;
  };

  it('go by HTTP as the variables say', async () => {
    const collector = await collect();
    const { tracing } = await open({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20all,x-tenant=t1',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=Bearer%20traces',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_SERVICE_NAME: 'shop-hub',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment.name=test',
    });
    publishOne(tracing);
    const [span] = await collector.until(1, () => true);
    expect(span?.resource).toMatchObject({
      'service.name': 'shop-hub',
      'service.version': '1.2.3',
      'deployment.environment.name': 'test',
    });
    expect(collector.requests[0]).toMatchObject({
      ':path': '/v1/traces',
      authorization: 'Bearer traces',
      'x-tenant': 't1',
      'content-encoding': 'gzip',
    });
  });

  it('go by gRPC as the variables say', async () => {
    const collector = await collect(startGrpcCollector);
    const { tracing } = await open({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=t1',
    });
    publishOne(tracing);
    const [span] = await collector.until(1, () => true);
    expect(span).toMatchObject({ name: 'publish events', kind: 'PRODUCER' });
    expect(collector.requests[0]).toMatchObject({ 'x-tenant': 't1' });
  });

  it('link from events of several traces to each of them, out of a trace of their own', async () => {
    const collector = await collect();
    const { tracing } = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const origins = Array.from({ length: 3 }, () => publishOne(tracing).context);
    const entries = origins.flatMap((trace) => [entryOf(trace), entryOf(trace), entryOf()]);
    tracing.process(entries)?.end();
    const spans = await collector.until(4, () => true);
    const batch = spans.at(-1);
    const published = spans.slice(0, 3);
    expect(batch).toMatchObject({ name: 'process events', kind: 'CONSUMER', parentSpanId: '' });
    expect(batch?.attributes['messaging.batch.message_count']).toBe(9);
    expect(batch?.links).toEqual(published.map(({ traceId, spanId }) => ({ traceId, spanId })));
    expect(published.map(({ traceId }) => traceId)).not.toContain(batch?.traceId);
  });

  it('link to no more than so many', async () => {
    const collector = await collect();
    const { tracing } = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const entries = Array.from({ length: limits.traceLinks + 50 }, (_, at) => entryOf(traceOf(at)));
    tracing.deliver(entries, 'sse')?.end();
    const [span] = await collector.until(1, () => true);
    expect(span?.links).toHaveLength(limits.traceLinks);
    expect(span?.attributes['messaging.batch.message_count']).toBe(entries.length);
  });

  it('have no span for events that are in no trace, or in one that is not sampled', async () => {
    const collector = await collect();
    const { tracing } = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const unsampled = { ...traceOf(1), traceparent: traceOf(1).traceparent.replace(/1$/, '0') };
    expect(tracing.process([])).toBeUndefined();
    expect(tracing.process([entryOf(), entryOf(unsampled)])).toBeUndefined();
    expect(tracing.deliver([entryOf(unsampled)], 'grpc')).toBeUndefined();
  });

  it.each([
    { sampler: 'always_on', root: true, sampled: true, unsampled: true, linked: true },
    { sampler: 'always_off', root: false, sampled: false, unsampled: false, linked: false },
    { sampler: 'traceidratio', root: false, sampled: false, unsampled: false, linked: false },
    { sampler: 'parentbased_always_on', root: true, sampled: true, unsampled: false, linked: true },
    {
      sampler: 'parentbased_always_off',
      root: false,
      sampled: true,
      unsampled: false,
      linked: true,
    },
    {
      sampler: 'parentbased_traceidratio',
      root: false,
      sampled: true,
      unsampled: false,
      linked: true,
    },
  ])('are those that the sampler $sampler takes', async ({ sampler, ...expected }) => {
    const collector = await collect();
    const { tracing } = await open({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_TRACES_SAMPLER: sampler,
      OTEL_TRACES_SAMPLER_ARG: '0',
    });
    const sampled = traceOf(1);
    const unsampled = { ...sampled, traceparent: sampled.traceparent.replace(/1$/, '0') };
    const isTaken = (parent?: TraceContext) =>
      publishOne(tracing, parent).context.traceparent.endsWith('1');
    const linked = tracing.process([entryOf(traceOf(2)), entryOf(traceOf(3))]);
    linked?.end();
    expect({
      root: isTaken(),
      sampled: isTaken(sampled),
      unsampled: isTaken(unsampled),
      linked: linked?.context.traceparent.endsWith('1'),
    }).toEqual(expected);
    await tracing.close();
    const taken = Object.values(expected).filter((each) => each).length;
    expect(collector.spans).toHaveLength(taken);
  });

  it('are passed on with what others added to them', async () => {
    const collector = await collect();
    const { tracing } = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const parent = { ...traceOf(1), tracestate: 'rojo=1,congo=2' };
    expect(publishOne(tracing, parent).context.tracestate).toBe('rojo=1,congo=2');
  });

  it('say once that the collector is away, and once that it is back', async () => {
    const collector = await collect();
    const { tracing, lines } = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    for (const how of ['refuse', 'take', 'refuse'] as const) {
      collector.behave(how);
      // The answer to one is known when the next is asked.
      for (let times = 0; times < 4; times += 1) {
        const before = collector.requests.length;
        publishOne(tracing);
        await collector.asked(before + 1);
      }
    }
    await tracing.close();
    const told = lines.map(({ level, msg }) => [level, msg.split(':')[0]]);
    expect(told.slice(0, 3)).toEqual([
      [40, 'the collector does not take traces'],
      [30, 'the collector takes traces again'],
      [40, 'the collector does not take traces'],
    ]);
    expect(told.filter(([level]) => level === 40)).toHaveLength(2);
  });

  it('say so too where nothing listens, without the headers', async () => {
    const gone = await startCollector();
    await gone.close();
    const { tracing, lines } = await open({
      OTEL_EXPORTER_OTLP_ENDPOINT: gone.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: '300',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=s3cret',
    });
    publishOne(tracing);
    await vi.waitFor(() => expect(lines).toHaveLength(1), { timeout: 20_000 });
    expect(lines[0]).toMatchObject({ level: 40, reason: expect.stringContaining('ECONNREFUSED') });
    expect(JSON.stringify(lines)).not.toContain('s3cret');
  });

  it.each(['authorization=s3cret%0A', 'bad%20name=s3cret'])(
    'are none where a header is none by gRPC, which is told without its value: %s',
    async (headers) => {
      const { tracing, lines } = await tryToOpen({
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_EXPORTER_OTLP_HEADERS: headers,
      });
      expect(tracing).toBeUndefined();
      expect(lines).toMatchObject([{ level: 40, msg: expect.stringContaining('no header') }]);
      expect(JSON.stringify(lines)).not.toContain('s3cret');
    },
  );

  it('go out before the end, and hold it up only so long', async () => {
    const collector = await collect();
    const slow = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '3600000' };
    const first = await open(slow);
    publishOne(first.tracing);
    await first.tracing.close();
    expect(collector.spans).toHaveLength(1);
    collector.behave('hang');
    const second = await open(slow);
    publishOne(second.tracing);
    await second.tracing.close();
    expect(second.lines).toMatchObject([{ level: 30, msg: 'the last traces are lost' }]);
  });
});

function traceOf(n: number): TraceContext {
  const traceId = (n + 1).toString(16).padStart(32, '0');
  return { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: undefined };
}

function entryOf(trace?: TraceContext): TracedEntry {
  return { event: { id: 'e1' }, shard: '0', trace };
}
