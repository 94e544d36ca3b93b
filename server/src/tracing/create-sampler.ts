import { type Attributes, type Context, type Link, type SpanKind, trace } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  type SamplingResult,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import type { SamplerSettings } from './tracing-settings.ts';

/** What `OTEL_TRACES_SAMPLER` names. */
export function createSampler({ name, ratio }: SamplerSettings): Sampler {
  const root = rootOf(name, ratio);
  return new LinkedSampler(
    name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root,
  );
}

function rootOf(name: SamplerSettings['name'], ratio: number): Sampler {
  if (name.endsWith('always_on')) return new AlwaysOnSampler();
  if (name.endsWith('always_off')) return new AlwaysOffSampler();
  return new TraceIdRatioBasedSampler(ratio);
}

/**
 * A span that comes of events of several traces begins one of its own. It is
 * decided on as if it were in the first of those that it links to: else what
 * was sampled when it came in would be lost by chance behind it.
 */
class LinkedSampler implements Sampler {
  readonly #sampler: Sampler;

  constructor(sampler: Sampler) {
    this.#sampler = sampler;
  }

  shouldSample(
    context: Context,
    traceId: string,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    const first = links[0]?.context;
    if (first === undefined || trace.getSpanContext(context) !== undefined) {
      return this.#sampler.shouldSample(context, traceId, name, kind, attributes, links);
    }
    const linked = trace.setSpanContext(context, first);
    return this.#sampler.shouldSample(linked, first.traceId, name, kind, attributes, links);
  }

  toString(): string {
    return this.#sampler.toString();
  }
}
