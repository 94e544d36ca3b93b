import { type IncomingMessage, request } from 'node:http';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { WebSocket } from 'ws';
import { GrpcClient, type Message } from '../../protocols/grpc/grpc-client.ts';
import { parseFrame } from '../../support/read-stream.ts';
import type { HubAddress } from './hub-process.ts';

/** How a stream ended: what the hub said of it, nothing where the connection only broke. */
export interface StreamEnd {
  readonly code?: string | undefined;
  readonly position?: string | undefined;
  /** Of a WebSocket. */
  readonly closeCode?: number;
}

/** A subscriber that can stop reading and go on, over one transport. */
export abstract class StallableReader {
  /** In the order in which they came. */
  readonly seen: { readonly id: string; readonly position: string }[] = [];
  readonly ended: Promise<StreamEnd>;
  #settle: (end: StreamEnd) => void = () => undefined;
  #said: StreamEnd = {};
  #wake: (() => void) | undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  abstract pause(): void;
  abstract resume(): void;
  abstract close(): void;

  get position(): string | undefined {
    return this.seen.at(-1)?.position;
  }

  /** Rejects when the stream ends before. */
  async hasSeen(count: number): Promise<void> {
    while (this.seen.length < count) {
      const more = new Promise<undefined>((resolve) => {
        this.#wake = () => resolve(undefined);
      });
      const end = await Promise.race([more, this.ended]);
      if (end === undefined || this.seen.length >= count) continue;
      throw new Error(`the stream ended after ${this.seen.length} events: ${JSON.stringify(end)}`);
    }
  }

  protected take({ id, position }: { readonly id: string; readonly position: string }): void {
    this.seen.push({ id, position });
    this.#wake?.();
  }

  protected say(end: StreamEnd): void {
    this.#said = end;
  }

  protected end(): void {
    this.#settle(this.#said);
  }
}

/** Over HTTP: a request whose answer is read block by block. */
class HttpReader extends StallableReader {
  readonly #request;
  readonly #read: (block: string) => void;
  #response: IncomingMessage | undefined;
  #text = '';

  constructor(
    url: string,
    options: { readonly accept: string; readonly separator: string; readonly body?: string },
    read: (block: string, reader: HttpReader) => void,
  ) {
    super();
    this.#read = (block) => read(block, this);
    const headers = { accept: options.accept, 'content-type': 'application/json' };
    const method = options.body === undefined ? 'GET' : 'POST';
    this.#request = request(url, { method, headers, agent: false }, (response) => {
      this.#response = response;
      response.setEncoding('utf8');
      response.on('data', (text: string) => this.#take(text, options.separator));
      response.on('close', () => this.end());
      response.on('error', () => undefined);
    });
    this.#request.on('error', () => this.end());
    this.#request.end(options.body);
  }

  override pause(): void {
    this.#response?.pause();
  }

  override resume(): void {
    this.#response?.resume();
  }

  override close(): void {
    this.#request.destroy();
  }

  override take(event: { readonly id: string; readonly position: string }): void {
    super.take(event);
  }

  override say(end: StreamEnd): void {
    super.say(end);
  }

  #take(text: string, separator: string): void {
    this.#text += text;
    const blocks = this.#text.split(separator);
    this.#text = blocks.pop() ?? '';
    for (const block of blocks) this.#read(block);
  }
}

class WebSocketReader extends StallableReader {
  readonly #socket: WebSocket;

  constructor(url: string, after: string) {
    super();
    this.#socket = new WebSocket(url, 'graphql-transport-ws', { perMessageDeflate: false });
    const send = (message: object) => this.#socket.send(JSON.stringify(message));
    this.#socket.on('open', () => send({ type: 'connection_init' }));
    this.#socket.on('message', (data) => {
      const { type, payload } = JSON.parse(String(data));
      if (type === 'connection_ack') {
        send({ id: '1', type: 'subscribe', payload: subscription(after) });
      } else if (type === 'next') this.take(payload.data.eventStream);
      else if (type === 'error') {
        // The connection stays open for other operations.
        this.say(payload[0].extensions);
        this.end();
      }
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', (closeCode) => {
      this.say({ closeCode });
      this.end();
    });
  }

  override pause(): void {
    this.#socket.pause();
  }

  override resume(): void {
    this.#socket.resume();
  }

  override close(): void {
    this.#socket.terminate();
  }
}

class GrpcReader extends StallableReader {
  readonly #client: GrpcClient;
  readonly #stream: ClientReadableStream<Message>;

  constructor(address: string, request: { readonly after: string } | { readonly limit: number }) {
    super();
    this.#client = new GrpcClient(address);
    this.#stream = this.#client.stream('StreamEvents', { ...request, follow: true });
    this.#stream.on('data', ({ id, position }: Message) =>
      this.take({ id: String(id), position: String(position) }),
    );
    this.#stream.on('error', (error) => {
      const { reason, metadata } = this.#client.read(error as never);
      this.say({ code: reason, position: metadata.position });
      this.end();
    });
    this.#stream.on('end', () => this.end());
  }

  override pause(): void {
    this.#stream.pause();
  }

  override resume(): void {
    this.#stream.resume();
  }

  override close(): void {
    this.#stream.cancel();
    this.#client.close();
  }
}

function subscription(after: string): object {
  return {
    query: 'subscription ($after: String) { eventStream(after: $after) { id position metadata } }',
    variables: { after },
  };
}

/** A subscriber after `after` on each transport of the live feed, by its name. */
export const transports: Readonly<
  Record<string, (hub: HubAddress, after: string) => StallableReader>
> = {
  sse: ({ url }, after) =>
    new HttpReader(
      `${url}/events/stream?after=${after}`,
      { accept: 'text/event-stream', separator: '\n\n' },
      (block, reader) => {
        const { event, data } = parseFrame(block);
        if (event === 'error') reader.say(JSON.parse(data ?? ''));
        else if (event === undefined && data !== undefined) reader.take(JSON.parse(data));
      },
    ),
  ndjson: ({ url }, after) =>
    new HttpReader(
      `${url}/events/stream?after=${after}`,
      { accept: 'application/x-ndjson', separator: '\n' },
      (line, reader) => {
        const json = line === '' ? { control: 'heartbeat' } : JSON.parse(line);
        if (json.control === 'error') reader.say(json.problem);
        else if (json.control === undefined) reader.take(json);
      },
    ),
  'graphql-sse': ({ url }, after) =>
    new HttpReader(
      `${url}/graphql`,
      {
        accept: 'text/event-stream',
        separator: '\n\n',
        body: JSON.stringify(subscription(after)),
      },
      (block, reader) => {
        const { event, data } = parseFrame(block);
        if (event !== 'next' || data === undefined) return;
        const { data: found, errors } = JSON.parse(data);
        if (errors !== undefined) reader.say(errors[0].extensions);
        else reader.take(found.eventStream);
      },
    ),
  'graphql-ws': ({ url }, after) =>
    new WebSocketReader(`${url.replace('http', 'ws')}/graphql`, after),
  grpc: ({ grpcAddress }, after) => new GrpcReader(grpcAddress, { after }),
};

/** A subscriber over gRPC that begins with the newest events. */
export function openNewest({ grpcAddress }: HubAddress, limit: number): StallableReader {
  return new GrpcReader(grpcAddress, { limit });
}
