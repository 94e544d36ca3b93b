import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Settings } from '../../src/config/settings.ts';
import { openDrivers } from '../protocols/drivers/open-drivers.ts';
import { within } from '../support/hub-places.ts';
import { type CollectedSpan, type Collector, startCollector } from '../support/otlp/collector.ts';
import { tracedBy } from '../support/otlp/traced-settings.ts';
import { openStream } from '../support/read-stream.ts';
import { anInput, get, postEvents } from '../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../support/start-test-hub.ts';

export interface TracedMode {
  /** Engines of this test's own; absent for the embedded file. */
  engines(): Promise<Partial<Pick<Settings, 'log' | 'store'>>>;
  readonly system: string;
  /** A reader carries events to the store; else the append has done that already. */
  readonly isArchived: boolean;
  /** The log itself keeps where an event came to be; else only its memory does. */
  readonly isKept: boolean;
}

/** The way of an event through a whole hub, as a collector is told of it. */
export function tracingSuite(name: string, mode: TracedMode): void {
  describe(`traces ${name}`, () => {
    let collector: Collector;
    let hub: TestHub;
    let destination: string;

    beforeEach(async () => {
      collector = await startCollector();
      hub = await startTestHub({
        ...(await mode.engines()),
        ...tracedBy({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }),
      });
      destination = destinationOf(hub.settings.log);
    });

    afterEach(async () => {
      await hub.remove();
      await collector.close();
      vi.unstubAllEnvs();
    });

    const inTrace = (traceId: string, count: number) =>
      collector.until(count, (span) => span.traceId === traceId);
    const follow = () => openStream(`${hub.url}/events/stream`, { accept: 'text/event-stream' });
    /** Of one request that is read live: itself, its append, its archive where there is one, its delivery. */
    const whole = mode.isArchived ? 4 : 3;

    it('go from the caller of REST through append and archive to a live subscriber', async () => {
      const stream = await follow();
      await stream.frame('caught-up');
      const { json } = await postEvents(hub.url, anInput({ id: 'traced-1' }), caller('a1'));
      await stream.frame('');
      await stream.close();
      const spans = await inTrace(traceId('a1'), whole);
      const request = named(spans, 'POST /events');
      expect(request).toMatchObject({ kind: 'SERVER', parentSpanId: callerSpan, isError: false });
      expect(request.attributes).toEqual({
        'http.request.method': 'POST',
        'http.route': '/events',
        'http.response.status_code': 201,
        'url.path': '/events',
        'url.scheme': 'http',
      });
      const place = {
        'messaging.system': mode.system,
        'messaging.destination.name': destination,
        'messaging.message.id': json.id,
      };
      const publish = named(spans, `publish ${destination}`);
      expect(publish).toMatchObject({ kind: 'PRODUCER', parentSpanId: request.spanId, links: [] });
      expect(publish.attributes).toEqual({
        ...place,
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
      });
      const origin = { traceId: traceId('a1'), spanId: publish.spanId };
      const archived =
        mode.system === 'kafka'
          ? { 'messaging.destination.partition.id': expect.stringMatching(/^\d$/) }
          : {};
      const consumers = [
        { operation: 'deliver', more: { 'event_hub.transport': 'sse' } },
        ...(mode.isArchived ? [{ operation: 'process', more: archived }] : []),
      ];
      for (const { operation, more } of consumers) {
        const span = named(spans, `${operation} ${destination}`);
        expect(span).toMatchObject({ kind: 'CONSUMER', links: [origin], isError: false });
        expect(span.parentSpanId).toBe(publish.spanId);
        expect(span.attributes).toEqual({
          ...place,
          ...more,
          'messaging.operation.name': operation,
          'messaging.operation.type': 'process',
        });
      }
      expect(spans).toHaveLength(whole);
      for (const { resource } of spans) expect(resource['service.name']).toBe('event-hub');
    });

    it('begin at a request of every protocol, single or a batch', async () => {
      const sent = [
        { trace: 'b1', by: 'rest', batch: 3, server: 'POST /events' },
        { trace: 'b2', by: 'grpc', batch: 0, server: `${service}/SendEvent` },
        { trace: 'b3', by: 'grpc', batch: 2, server: `${service}/SendEventBatch` },
        { trace: 'b4', by: 'graphql', batch: 0, server: 'POST /graphql' },
        { trace: 'b5', by: 'graphql', batch: 2, server: 'POST /graphql' },
      ] as const;
      for (const { trace, by, batch, server } of sent) {
        const drivers = openDrivers(hub, caller(trace));
        const events = Array.from({ length: batch || 1 }, () => anInput());
        if (batch === 0) await drivers[by].send(events[0] ?? {});
        else await drivers[by].sendBatch(events);
        await drivers.close();
        const isWanted = (span: CollectedSpan) =>
          span.traceId === traceId(trace) && span.kind !== 'CONSUMER';
        const spans = await collector.until(2, isWanted);
        const publish = named(spans, `publish ${destination}`);
        expect(named(spans, server)).toMatchObject({ kind: 'SERVER', parentSpanId: callerSpan });
        expect(publish.parentSpanId).toBe(named(spans, server).spanId);
        const count = publish.attributes['messaging.batch.message_count'];
        expect(count).toBe(batch === 0 ? undefined : batch);
      }
    });

    it('begin anew where the caller names no trace, or none that is one', async () => {
      const names = [undefined, 'nonsense', `00-${'0'.repeat(32)}-${callerSpan}-01`];
      for (const traceparent of names) {
        await postEvents(hub.url, anInput(), traceparent === undefined ? {} : { traceparent });
      }
      const spans = await collector.until(3, ({ kind }) => kind === 'SERVER');
      expect(spans.map(({ parentSpanId }) => parentSpanId)).toEqual(['', '', '']);
      expect(new Set(spans.map((span) => span.traceId)).size).toBe(3);
    });

    it('say nothing of what the caller did not sample, and keep nothing of it', async () => {
      const stream = await follow();
      await stream.frame('caught-up');
      await postEvents(hub.url, anInput({ id: 'unsampled' }), caller('c1', '00'));
      await postEvents(hub.url, anInput({ id: 'sampled' }), { ...caller('c2'), tracestate: 'v=1' });
      await stream.frame('');
      await stream.frame('');
      await stream.close();
      await inTrace(traceId('c2'), whole);
      await hub.stop();
      expect(collector.spans.filter((span) => span.traceId === traceId('c1'))).toEqual([]);
      if (!mode.isKept) return;
      const kept = await tracesIn(hub.settings);
      const publish = named(collector.spans, `publish ${destination}`);
      expect(kept).toEqual(
        new Map([
          ['unsampled', undefined],
          [
            'sampled',
            { traceparent: `00-${traceId('c2')}-${publish.spanId}-01`, tracestate: 'v=1' },
          ],
        ]),
      );
    });

    it('are no part of an event: a repeat is one, and nothing shows outside', async () => {
      const input = anInput({ metadata: { a: 1 } });
      const first = await postEvents(hub.url, input, caller('d1'));
      const again = await postEvents(hub.url, input, caller('d2'));
      const other = await postEvents(hub.url, { ...input, amount: '11' }, caller('d3'));
      expect([first.status, again.status, other.status]).toEqual([201, 200, 409]);
      expect(again.json).toMatchObject({ status: 'duplicate', position: first.json.position });
      const path = `/events/${first.json.id}?at_least=${first.json.position}`;
      const { json } = await get(hub.url, path);
      expect(Object.keys(json)).not.toContain('traceparent');
      expect(json.metadata).toEqual({ a: 1 });
      const failed = await collector.until(
        1,
        ({ traceId: id, kind }) => id === traceId('d3') && kind === 'PRODUCER',
      );
      expect(failed[0]).toMatchObject({ isError: true, attributes: { 'error.type': 'conflict' } });
      const [answer] = await collector.until(
        1,
        ({ traceId: id, kind }) => id === traceId('d3') && kind === 'SERVER',
      );
      // What the caller did wrong is no error of the server.
      expect(answer?.isError).toBe(false);
    });

    it('name no user, no amount and nothing else of what an event says', async () => {
      const secret = { user_id: 'somebody@example.com', amount: '98765.4321', currency: 'EUR' };
      const stream = await follow();
      await stream.frame('caught-up');
      await postEvents(
        hub.url,
        anInput({ ...secret, metadata: { note: 'private' } }),
        caller('e1'),
      );
      await stream.frame('');
      await stream.close();
      const told = JSON.stringify(await inTrace(traceId('e1'), whole));
      for (const word of ['somebody', '98765', 'EUR', 'private', 'purchase']) {
        expect(told).not.toContain(word);
      }
    });
  });

  describe(`a hub that is not traced ${name}`, () => {
    it('adds nothing to the log, whatever the caller sends', async () => {
      const hub = await startTestHub(await mode.engines());
      try {
        await postEvents(hub.url, anInput({ id: 'plain' }), caller('f1'));
        await hub.stop();
        expect(await tracesIn(hub.settings)).toEqual(new Map([['plain', undefined]]));
      } finally {
        await hub.remove();
      }
    });
  });
}

const service = 'event_hub.v1.EventService';
const callerSpan = '00f067aa0ba902b7';

/** A trace of one's own for each name of two hexadecimal digits. */
function traceId(name: string): string {
  return name.repeat(16);
}

function caller(name: string, flags = '01'): { readonly traceparent: string } {
  return { traceparent: `00-${traceId(name)}-${callerSpan}-${flags}` };
}

/** The only one of that name. */
function named(spans: readonly CollectedSpan[], name: string): CollectedSpan {
  const found = spans.filter((span) => span.name === name);
  expect(
    found.map((span) => span.name),
    `of ${spans.map((span) => span.name).join(', ')}`,
  ).toEqual([name]);
  return found[0] as CollectedSpan;
}

function destinationOf(log: string): string {
  const { protocol, searchParams, pathname } = new URL(log);
  if (protocol === 'redis:') return searchParams.get('stream') ?? 'events';
  return protocol === 'kafka:' ? pathname.slice(1) : 'events';
}

/** By the ids of the events: what the log itself keeps beside them. */
async function tracesIn(place: Pick<Settings, 'log' | 'store'>) {
  return await within(place, async ({ log }) => {
    const found = new Map<string, unknown>();
    const signal = AbortSignal.timeout(30_000);
    for await (const batch of log.read({ from: 'start', follow: false, limit: 100, signal })) {
      for (const { event, trace } of batch) found.set(event.id, trace);
    }
    return found;
  });
}
