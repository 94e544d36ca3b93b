import {
  type Attributes,
  createTraceState,
  type Link,
  ROOT_CONTEXT,
  type Span as SdkSpan,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { limits } from '../base/limits.ts';
import {
  formatTraceparent,
  isSampled,
  type MessagingPlace,
  type Span,
  type SpanFacts,
  spanIdOf,
  type TraceContext,
  type TracedEntry,
  type TracedRequest,
  type Tracing,
  traceIdOf,
} from '../base/tracing.ts';

export interface HubTracingDeps {
  readonly tracer: Tracer;
  readonly place: MessagingPlace;
  readonly close: () => Promise<void>;
}

/** Spans by OpenTelemetry's conventions for messaging. */
export class HubTracing implements Tracing {
  readonly close: () => Promise<void>;
  readonly #tracer: Tracer;
  readonly #place: Attributes;
  readonly #destination: string;
  readonly #isPartitioned: boolean;

  constructor({ tracer, place, close }: HubTracingDeps) {
    this.close = close;
    this.#tracer = tracer;
    this.#destination = place.destination;
    this.#isPartitioned = place.isPartitioned === true;
    this.#place = {
      'messaging.system': place.system,
      'messaging.destination.name': place.destination,
    };
  }

  request({ name, facts, parent }: TracedRequest): Span {
    return this.#begin(name, SpanKind.SERVER, facts, parent);
  }

  publish(parent: TraceContext | undefined, ids: readonly { readonly id: string }[]): Span {
    const { name, facts } = this.#operation('publish', 'send', ids);
    return this.#begin(name, SpanKind.PRODUCER, facts, parent);
  }

  process(entries: readonly TracedEntry[]): Span | undefined {
    const [first] = entries;
    const isPart = this.#isPartitioned && first !== undefined;
    const more = isPart ? { 'messaging.destination.partition.id': first.shard } : undefined;
    return this.#consume('process', entries, more);
  }

  deliver(entries: readonly TracedEntry[], transport: string): Span | undefined {
    return this.#consume('deliver', entries, { 'event_hub.transport': transport });
  }

  /** Entries of one trace continue it; those of several are linked to by a trace of their own. */
  #consume(
    operation: string,
    entries: readonly TracedEntry[],
    more?: Attributes,
  ): Span | undefined {
    const origins = originsOf(entries);
    const [first] = origins;
    if (first === undefined) return undefined;
    const isOneTrace = origins.every((each) => traceIdOf(each) === traceIdOf(first));
    const ids = entries.map(({ event }) => event);
    const { name, facts } = this.#operation(operation, 'process', ids);
    const links = origins.map((each) => ({ context: spanContextOf(each) }));
    const parent = isOneTrace ? first : undefined;
    return this.#begin(name, SpanKind.CONSUMER, { ...facts, ...more }, parent, links);
  }

  #operation(operation: string, type: string, ids: readonly { readonly id: string }[]) {
    const [only] = ids;
    const facts: Attributes = {
      ...this.#place,
      'messaging.operation.name': operation,
      'messaging.operation.type': type,
    };
    if (ids.length === 1 && only !== undefined) facts['messaging.message.id'] = only.id;
    else facts['messaging.batch.message_count'] = ids.length;
    return { name: `${operation} ${this.#destination}`, facts };
  }

  #begin(
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    parent: TraceContext | undefined,
    links: Link[] = [],
  ): Span {
    const context =
      parent === undefined
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent));
    return new HubSpan(this.#tracer.startSpan(name, { kind, attributes, links }, context));
  }
}

class HubSpan implements Span {
  readonly context: TraceContext;
  readonly #span: SdkSpan;
  #hasEnded = false;

  constructor(span: SdkSpan) {
    this.#span = span;
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    this.context = {
      traceparent: formatTraceparent(traceId, spanId, (traceFlags & TraceFlags.SAMPLED) !== 0),
      tracestate: traceState?.serialize() || undefined,
    };
  }

  end(failure?: string, facts?: SpanFacts): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (facts !== undefined) this.#span.setAttributes(facts);
    if (failure !== undefined) {
      this.#span.setAttribute('error.type', failure);
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#span.end();
  }
}

/** Where sampled entries came to be, each once, and no more than one span may link to. */
function originsOf(entries: readonly TracedEntry[]): readonly TraceContext[] {
  const origins = new Map<string, TraceContext>();
  for (const { trace: origin } of entries) {
    if (origin === undefined || !isSampled(origin)) continue;
    origins.set(origin.traceparent, origin);
    if (origins.size === limits.traceLinks) break;
  }
  return [...origins.values()];
}

function spanContextOf(context: TraceContext): SpanContext {
  const { tracestate } = context;
  return {
    traceId: traceIdOf(context),
    spanId: spanIdOf(context),
    traceFlags: isSampled(context) ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(tracestate === undefined ? {} : { traceState: createTraceState(tracestate) }),
  };
}
