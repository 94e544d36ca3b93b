import { join } from 'node:path';
import protobuf from 'protobufjs';
import type { CollectedSpan } from './collector.ts';

/**
 * OpenTelemetry's own definitions, as its project publishes them (commit
 * ac2c4b5d1f3a6079de62f9afec860158ecc8af09 of opentelemetry-proto), so that what
 * is read here does not depend on the packages that wrote it.
 */
const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(import.meta.dirname, target);
root.loadSync('opentelemetry/proto/collector/trace/v1/trace_service.proto');

const requestType = root.lookupType(
  'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest',
);
const responseType = root.lookupType(
  'opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse',
);

/** The spans of an `ExportTraceServiceRequest`. Throws for bytes that are none. */
export function decodeExport(body: Uint8Array): readonly CollectedSpan[] {
  const request = requestType.toObject(requestType.decode(body), {
    enums: String,
    longs: Number,
    defaults: true,
  }) as ExportRequest;
  return request.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        name: span.name,
        kind: span.kind.replace('SPAN_KIND_', ''),
        traceId: hexOf(span.traceId),
        spanId: hexOf(span.spanId),
        parentSpanId: hexOf(span.parentSpanId),
        attributes: valuesOf(span.attributes),
        links: span.links.map(({ traceId, spanId }) => ({
          traceId: hexOf(traceId),
          spanId: hexOf(spanId),
        })),
        isError: span.status?.code === 'STATUS_CODE_ERROR',
        resource: valuesOf(resource?.attributes ?? []),
      })),
    ),
  );
}

/** An `ExportTraceServiceResponse` that takes everything. */
export function encodeExportAnswer(): Uint8Array {
  return responseType.encode({}).finish();
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] } | null;
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

interface WireSpan {
  readonly name: string;
  readonly kind: string;
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array;
  readonly attributes: readonly KeyValue[];
  readonly links: readonly { readonly traceId: Uint8Array; readonly spanId: Uint8Array }[];
  readonly status: { readonly code: string } | null;
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

function valuesOf(attributes: readonly KeyValue[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value]),
  );
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
