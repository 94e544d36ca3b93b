import { fileURLToPath } from 'node:url';
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import protobuf from 'protobufjs';

const folder = fileURLToPath(new URL('../../../../contracts/', import.meta.url));

/** A plain message, as a client sees it: absent fields are absent, 64-bit numbers are numbers. */
export type Message = Record<string, unknown>;

/** What the google.rpc details of a failed call say. */
export interface Details {
  readonly reason: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly { field: string; description: string; reason: string }[];
  readonly retryDelay: number | undefined;
}

export interface Failure extends Details {
  readonly code: number;
  readonly message: string;
}

export interface CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

/** A grpc-js client that knows the contracts by their files and nothing of the hub's code. */
export class GrpcClient {
  readonly #client: Client;
  readonly #root: protobuf.Root;

  constructor(
    address: string,
    options: ClientOptions = {},
    security: ChannelCredentials = credentials.createInsecure(),
  ) {
    this.#client = new Client(address, security, {
      // A connection of its own for each client of a test.
      'grpc.use_local_subchannel_pool': 1,
      ...options,
    });
    this.#root = contractsRoot();
  }

  /** Method by its short name in the hub's service, or `/package.Service/Method`. */
  call(method: string, request: Message = {}, options: CallOptions = {}): Promise<Message> {
    const { path, input } = this.#method(method);
    return this.callRaw(path, Buffer.from(input.encode(request).finish()), options);
  }

  /** The same with bytes in place of the message. */
  callRaw(method: string, request: Buffer, options: CallOptions = {}): Promise<Message> {
    const { path, output } = this.#method(method);
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes) => plain(output, bytes),
        request,
        toMetadata(options),
        deadlineOf(options),
        (error, answer) => (error === null ? resolve(answer ?? {}) : reject(error)),
      );
    });
  }

  stream(
    method: string,
    request: Message = {},
    options: CallOptions = {},
  ): ClientReadableStream<Message> {
    const { path, input, output } = this.#method(method);
    return this.#client.makeServerStreamRequest(
      path,
      (message: Message) => Buffer.from(input.encode(message).finish()),
      (bytes) => plain(output, bytes),
      request,
      toMetadata(options),
      deadlineOf(options),
    );
  }

  duplex(method: string, options: CallOptions = {}): ClientDuplexStream<Message | Buffer, Message> {
    const { path, input, output } = this.#method(method);
    return this.#client.makeBidiStreamRequest(
      path,
      (message: Message | Buffer) =>
        Buffer.isBuffer(message) ? message : Buffer.from(input.encode(message).finish()),
      (bytes) => plain(output, bytes),
      toMetadata(options),
      deadlineOf(options),
    );
  }

  /** What a call that must fail failed with. */
  async failure(call: Promise<unknown>): Promise<Failure> {
    try {
      await call;
    } catch (error) {
      return this.read(error as ServiceError);
    }
    throw new Error('the call did not fail');
  }

  read(error: ServiceError): Failure {
    const [bytes] = error.metadata.get('grpc-status-details-bin');
    const details = this.readDetails(Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0));
    return { code: error.code, message: error.details, ...details };
  }

  /** `bytes` is a google.rpc.Status. */
  readDetails(bytes: Buffer): Details {
    const details = this.#details(bytes);
    const info = details.ErrorInfo ?? {};
    const delay = details.RetryInfo?.retry_delay as { seconds?: number } | undefined;
    return {
      reason: info.reason as string | undefined,
      metadata: (info.metadata ?? {}) as Record<string, string>,
      violations: (details.BadRequest?.field_violations ?? []) as Details['violations'],
      retryDelay: details.RetryInfo === undefined ? undefined : (delay?.seconds ?? 0),
    };
  }

  /** Answers of a method that were read by other means. */
  decode(method: string, messages: readonly Buffer[]): Message[] {
    const { output } = this.#method(method);
    return messages.map((bytes) => plain(output, bytes));
  }

  close(): void {
    this.#client.close();
  }

  #details(bytes: Buffer): Record<string, Message> {
    const status = plain(this.#root.lookupType('google.rpc.Status'), bytes);
    const found: Record<string, Message> = {};
    for (const any of (status.details ?? []) as { type_url: string; value: Buffer }[]) {
      const name = any.type_url.slice(any.type_url.lastIndexOf('.') + 1);
      found[name] = plain(this.#root.lookupType(`google.rpc.${name}`), any.value);
    }
    return found;
  }

  #method(name: string): { path: string; input: protobuf.Type; output: protobuf.Type } {
    const path = name.startsWith('/') ? name : `/event_hub.v1.EventService/${name}`;
    const [, service = '', method = ''] = path.split('/');
    const found = this.#root.lookupService(service).methods[method];
    if (found === undefined) throw new Error(`the contracts have no ${path}`);
    found.resolve();
    const { resolvedRequestType: input, resolvedResponseType: output } = found;
    if (input === null || output === null) throw new Error(`${path} has no types`);
    return { path, input, output };
  }
}

/** Everything a stream gives until it ends; rejects with its failure. */
export async function all(stream: AsyncIterable<Message>): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

/** The next `count` messages; the stream stays open. */
export function take(stream: ClientReadableStream<Message>, count: number): Promise<Message[]> {
  return new Promise((resolve, reject) => {
    const messages: Message[] = [];
    const onData = (message: Message) => {
      messages.push(message);
      if (messages.length < count) return;
      stream.off('data', onData);
      stream.off('error', reject);
      stream.pause();
      resolve(messages);
    };
    stream.on('data', onData);
    stream.once('error', reject);
    stream.resume();
  });
}

/** A Struct of the wire from plain JSON. */
export function struct(object: Record<string, unknown>): Message {
  return {
    fields: Object.fromEntries(Object.entries(object).map(([key, each]) => [key, value(each)])),
  };
}

function value(json: unknown): Message {
  if (json === null) return { nullValue: 0 };
  if (typeof json === 'number') return { numberValue: json };
  if (typeof json === 'string') return { stringValue: json };
  if (typeof json === 'boolean') return { boolValue: json };
  if (Array.isArray(json)) return { listValue: { values: json.map(value) } };
  return { structValue: struct(json as Record<string, unknown>) };
}

/** With the reflection protocol, as the library that serves it publishes it. */
function contractsRoot(): protobuf.Root {
  const root = new protobuf.Root();
  const reflection = fileURLToPath(
    new URL('build/proto/', `${import.meta.resolve('@grpc/reflection').split('build/')[0]}`),
  );
  root.resolvePath = (_origin, target) =>
    target.includes('reflection') ? `${reflection}${target}` : `${folder}${target}`;
  root.loadSync(
    [
      'event_hub.proto',
      'google/rpc/status.proto',
      'google/rpc/error_details.proto',
      'grpc/health/v1/health.proto',
      'grpc/reflection/v1/reflection.proto',
      'grpc/reflection/v1alpha/reflection.proto',
    ],
    { keepCase: true },
  );
  return root;
}

function plain(type: protobuf.Type, bytes: Uint8Array): Message {
  return type.toObject(type.decode(bytes), { longs: Number });
}

function toMetadata({ metadata = {} }: CallOptions): Metadata {
  const made = new Metadata();
  for (const [name, text] of Object.entries(metadata)) made.set(name, text);
  return made;
}

function deadlineOf({ deadlineMs }: CallOptions): { deadline?: number } {
  return deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
}
