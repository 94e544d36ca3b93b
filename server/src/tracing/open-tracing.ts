import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import type { MessagingPlace, Tracing } from '../base/tracing.ts';
import { within } from '../base/within.ts';
import { createSampler } from './create-sampler.ts';
import { HubTracing } from './hub-tracing.ts';
import { NotedExporter } from './noted-exporter.ts';
import type { TracingProtocol, TracingSettings } from './tracing-settings.ts';

export interface OpenTracingOptions extends TracingSettings {
  readonly place: MessagingPlace;
  /** Of the hub. */
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * OpenTelemetry's own SDK. Spans wait in a bounded queue and go out on the side:
 * a collector that is away or slow costs spans, and nothing else. Undefined, with
 * a line in the log, where its variables make no exporter.
 */
export async function openTracing(options: OpenTracingOptions): Promise<Tracing | undefined> {
  const { place, version, clock, logger, sampler, batch } = options;
  const opened = await openExporter(options.protocol);
  if (opened === undefined) {
    logger.warn(isUnusable);
    return undefined;
  }
  const exporter = new NotedExporter(opened, logger);
  const provider = new TracerProvider({
    // What the variables say of the service stands before what we say.
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'event-hub', 'service.version': version }))
      .merge(detectResources({ detectors: environmentDetectors })),
    sampler: createSampler(sampler),
    spanLimits: { linkCountLimit: limits.traceLinks },
    spanProcessors: [new BatchSpanProcessor({ exporter, ...batch })],
  });
  const close = async () => {
    const late = `they did not go out in ${limits.traceFlushMs} ms`;
    try {
      await within(clock, limits.traceFlushMs, provider.shutdown(), late);
    } catch (reason) {
      const why = reason instanceof Error ? reason.message : String(reason);
      logger.info({ reason: why }, 'the last traces are lost');
    }
  };
  return new HubTracing({ tracer: provider.getTracer('event-hub', version), place, close });
}

/** `OTEL_SERVICE_NAME` has the last word. */
const environmentDetectors = [resourceAttributesEnvDetector, serviceNameEnvDetector];

/** Where to, with which headers and in what time, each of them takes from its `OTEL_EXPORTER_OTLP_*` variables. */
async function openExporter(protocol: TracingProtocol): Promise<SpanExporter | undefined> {
  const { OTLPTraceExporter } =
    protocol === 'grpc'
      ? await import('@opentelemetry/exporter-trace-otlp-grpc')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  try {
    return new OTLPTraceExporter();
  } catch {
    // What it says of a header has the value in it, which is often a secret: not repeated.
    return undefined;
  }
}

const isUnusable =
  'nothing is traced: OTEL_EXPORTER_OTLP_HEADERS has what can be no header, or another of its variables is unusable';
