import { limits } from './limits.ts';

/**
 * A place in a trace, as W3C Trace Context writes it. It goes with an entry of
 * the log as an envelope: beside the event, never a part of what it says.
 */
export interface TraceContext {
  readonly traceparent: string;
  /** What those before us added to it; undefined where there is nothing. */
  readonly tracestate: string | undefined;
}

/** Part of a trace, from the call that gave it until it is ended. */
export interface Span {
  readonly context: TraceContext;
  /** With the kind of the failure, where it failed. Only the first call counts. */
  end(failure?: string, facts?: SpanFacts): void;
}

/** By OpenTelemetry's names. Never what a sender chose, but for the id of an event. */
export type SpanFacts = Readonly<Record<string, string | number>>;

/** A request that brings events. */
export interface TracedRequest {
  /** A method and a route, or the name of a call: one of a few. */
  readonly name: string;
  readonly facts: SpanFacts;
  /** Where the caller is; undefined for the start of a trace. */
  readonly parent: TraceContext | undefined;
}

/** An entry of the log, as far as a trace is concerned. */
export interface TracedEntry {
  readonly event: { readonly id: string };
  readonly shard: string;
  readonly trace?: TraceContext | undefined;
}

/** Where events go, in the words of the messaging conventions. */
export interface MessagingPlace {
  /** `redis`, `kafka` or `event_hub`. */
  readonly system: string;
  /** A stream, a topic. */
  readonly destination: string;
  /** Its shards are partitions. */
  readonly isPartitioned?: boolean;
}

/**
 * The way of an event through the hub, for whoever collects traces; there is
 * none where nobody does. A trace that its sender did not sample goes on
 * unsampled: its spans are given, and reach nobody.
 */
export interface Tracing {
  /** From the arrival of a request to its answer. */
  request(request: TracedRequest): Span;
  /** Events on their way into the log, until they are durable: where they come to be, for all who read them. */
  publish(parent: TraceContext | undefined, ids: readonly { readonly id: string }[]): Span;
  /** Entries of one shard that are archived together; undefined where none of them is in a trace. */
  process(entries: readonly TracedEntry[]): Span | undefined;
  /** Entries that a live subscriber is handed together; the same. */
  deliver(entries: readonly TracedEntry[], transport: string): Span | undefined;
  /** What is finished goes out, as far as that is quickly done. Never rejects. */
  close(): Promise<void>;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * What came in headers, metadata or an entry; undefined where it is no place in
 * a trace, so that a new one begins. A later version than 00 is read as far as
 * it is known, as W3C asks for.
 */
export function parseTraceContext(
  traceparent: unknown,
  tracestate?: unknown,
): TraceContext | undefined {
  if (typeof traceparent !== 'string' || traceparent.length > limits.traceparentCharacters) {
    return undefined;
  }
  const [, version, traceId, spanId, flags, more] = form.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (isZero(traceId) || isZero(spanId)) return undefined;
  const isKept = typeof tracestate === 'string' && stateForm.test(tracestate);
  return {
    traceparent: formatTraceparent(traceId, spanId, (Number.parseInt(flags, 16) & 1) === 1),
    tracestate: isKept ? tracestate : undefined,
  };
}

/** Printable and of a length that W3C asks everybody to pass on; a longer one may be left out. */
const stateForm = new RegExp(`^[\\x20-\\x7e]{1,${limits.tracestateCharacters}}$`);

export function formatTraceparent(traceId: string, spanId: string, isSampled: boolean): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

export function traceIdOf({ traceparent }: TraceContext): string {
  return traceparent.slice(3, 35);
}

export function spanIdOf({ traceparent }: TraceContext): string {
  return traceparent.slice(36, 52);
}

/** Somebody collects what belongs to it. */
export function isSampled({ traceparent }: TraceContext): boolean {
  return traceparent.endsWith('1');
}

/** What a line of the log says, so that it is found from its trace. */
export function traceFields(
  trace: TraceContext | undefined,
): { readonly trace_id: string; readonly span_id: string } | undefined {
  return trace === undefined ? undefined : { trace_id: traceIdOf(trace), span_id: spanIdOf(trace) };
}

function isZero(id: string): boolean {
  return /^0+$/.test(id);
}
