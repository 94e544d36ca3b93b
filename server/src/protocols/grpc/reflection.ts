import { EventEmitter } from 'node:events';
import type { Server } from '@grpc/grpc-js';
import type { Contracts } from './contracts.ts';
import { type CallHost, ignore, type Method, type RawCall, ServedCall } from './served-call.ts';

const paths = [
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
];

/** What the reflection library registers for one path. */
interface Reflector {
  decode(bytes: Buffer): unknown;
  encode(answer: unknown): Buffer;
  serve(stream: EventEmitter): void;
}

type Reflectors = ReadonlyMap<string, Reflector>;

/**
 * Server reflection, v1 and v1alpha, by `@grpc/reflection`. The library is
 * loaded at the first call: it brings a protobufjs of its own, and the hub must
 * be ready soon.
 */
export function reflectionMethods(host: CallHost, contracts: Contracts): readonly Method[] {
  let loading: Promise<Reflectors> | undefined;
  const load = () => {
    loading ??= loadReflectors(contracts);
    return loading;
  };
  return paths.map((path) => ({
    path,
    kind: 'bidi',
    decode: (bytes) => bytes,
    serve: (call) => call.start(new ReflectionCall(call, host, path, load)),
  }));
}

class ReflectionCall extends ServedCall {
  readonly #path: string;
  readonly #load: () => Promise<Reflectors>;
  #reflector: Reflector | undefined;
  readonly #stream = new EventEmitter();

  constructor(call: RawCall, host: CallHost, path: string, load: () => Promise<Reflectors>) {
    super(call, host, path);
    this.#path = path;
    this.#load = load;
  }

  protected override opened(): void {
    this.#load().then(
      (reflectors) => this.#begin(reflectors.get(this.#path)),
      (reason) => this.fail(reason),
    );
  }

  override onReceiveMessage(message: Buffer): void {
    try {
      this.#stream.emit('data', this.#reflector?.decode(message));
      this.call.startRead();
    } catch (reason) {
      this.fail(reason);
    }
  }

  override onReceiveHalfClose(): void {
    this.#stream.emit('end');
  }

  #begin(reflector: Reflector | undefined): void {
    if (reflector === undefined) throw new Error(`the reflection library lacks ${this.#path}`);
    this.#reflector = reflector;
    reflector.serve(
      Object.assign(this.#stream, {
        write: (answer: unknown) => this.call.sendMessage(reflector.encode(answer), ignore),
        end: () => this.succeed(),
      }),
    );
    this.call.startRead();
  }
}

async function loadReflectors(contracts: Contracts): Promise<Reflectors> {
  const [{ ReflectionService }, { fileDescriptors }] = await Promise.all([
    import('@grpc/reflection'),
    import('./file-descriptors.ts'),
  ]);
  const descriptor = {
    format: 'Protocol Buffer 3 EnumDescriptorProto',
    type: {},
    fileDescriptorProtos: fileDescriptors(contracts.root),
  } as const;
  const reflectors = new Map<string, Reflector>();
  const addService: Server['addService'] = (service, implementation) => {
    for (const [name, method] of Object.entries(service)) {
      reflectors.set(method.path, {
        decode: method.requestDeserialize,
        encode: method.responseSerialize,
        serve: (stream) => Reflect.apply(implementation[name] ?? ignore, undefined, [stream]),
      });
    }
  };
  new ReflectionService({ contracts: descriptor }).addToServer({ addService });
  return reflectors;
}
