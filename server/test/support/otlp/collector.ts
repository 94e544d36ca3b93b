import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { decodeExport, encodeExportAnswer } from './export-messages.ts';

/** A span as a collector has it, ids in hexadecimal. */
export interface CollectedSpan {
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly isError: boolean;
  /** Of the resource that sent it. */
  readonly resource: Readonly<Record<string, unknown>>;
}

/** What takes traces by OTLP, over HTTP with protobuf or over gRPC. */
export interface Collector {
  /** `http://host:port`, as `OTEL_EXPORTER_OTLP_ENDPOINT` takes it. */
  readonly url: string;
  /** All that came, in the order of their ends. */
  readonly spans: readonly CollectedSpan[];
  /** Headers or metadata of each request, with the path of HTTP as `:path`. */
  readonly requests: readonly Readonly<Record<string, unknown>>[];
  /** From now on requests are taken, refused, or never answered. */
  behave(how: 'take' | 'refuse' | 'hang'): void;
  /** Resolves once so many requests came since the collector began. */
  asked(times: number): Promise<void>;
  /** Resolves with the spans that are wanted once there are so many of them. */
  until(count: number, isWanted: (span: CollectedSpan) => boolean): Promise<CollectedSpan[]>;
  close(): Promise<void>;
}

class Arrivals {
  readonly spans: CollectedSpan[] = [];
  readonly requests: Record<string, unknown>[] = [];
  how: 'take' | 'refuse' | 'hang' = 'take';
  #wakes: (() => void)[] = [];

  /** Answers whether it was taken; never, where nothing is answered. */
  async take(body: Uint8Array, headers: Readonly<Record<string, unknown>>): Promise<boolean> {
    this.requests.push(headers);
    if (this.how === 'take') this.spans.push(...decodeExport(body));
    for (const wake of this.#wakes.splice(0)) wake();
    if (this.how === 'hang') await new Promise(() => undefined);
    return this.how === 'take';
  }

  async when(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#wakes.push(resolve));
  }

  collector(url: string, close: () => Promise<void>): Collector {
    const wanted = (isWanted: (span: CollectedSpan) => boolean) => this.spans.filter(isWanted);
    return {
      url,
      spans: this.spans,
      requests: this.requests,
      behave: (how) => {
        this.how = how;
      },
      asked: (times) => this.when(() => this.requests.length >= times),
      until: async (count, isWanted) => {
        await this.when(() => wanted(isWanted).length >= count);
        return wanted(isWanted);
      },
      close,
    };
  }
}

/** On a free port of loopback. */
export async function startCollector(): Promise<Collector> {
  const arrivals = new Arrivals();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const isZipped = request.headers['content-encoding'] === 'gzip';
    const isExport = request.url === '/v1/traces' && request.method === 'POST';
    if (!isExport || request.headers['content-type'] !== 'application/x-protobuf') {
      response.writeHead(404).end();
      return;
    }
    const headers = { ...request.headers, ':path': request.url };
    const isTaken = await arrivals.take(isZipped ? gunzipSync(body) : body, headers);
    response.writeHead(isTaken ? 200 : 400, { 'content-type': 'application/x-protobuf' });
    response.end(encodeExportAnswer());
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return arrivals.collector(`http://127.0.0.1:${port}`, async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
}

/** The same over gRPC. */
export async function startGrpcCollector(): Promise<Collector> {
  const arrivals = new Arrivals();
  const server = new Server();
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  const service = {
    export: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: (bytes: Buffer) => bytes,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (bytes: Buffer) => bytes,
      responseDeserialize: (bytes: Buffer) => bytes,
    },
  };
  server.addService(service, {
    export: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      void arrivals.take(call.request, call.metadata.getMap()).then((isTaken) => {
        if (isTaken) done(null, Buffer.from(encodeExportAnswer()));
        else done({ code: 3, details: 'refused' });
      });
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (fault, bound) =>
      fault === null ? resolve(bound) : reject(fault),
    );
  });
  return arrivals.collector(`http://127.0.0.1:${port}`, async () => server.forceShutdown());
}
