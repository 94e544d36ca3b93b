import { EventEmitter } from 'node:events';
import type { Server } from '@grpc/grpc-js';
import { HubError } from '../../base/errors.ts';
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

/** One question at a time: the next is read when the answer has left, so none pile up for who does not read them. */
class ReflectionCall extends ServedCall {
  readonly #path: string;
  readonly #load: () => Promise<Reflectors>;
  #reflector: Reflector | undefined;
  readonly #stream = new EventEmitter();
  /** What ends the stream from the hub's side: its stop, and the end of the credential. */
  #ends: readonly AbortSignal[] = [];

  constructor(call: RawCall, host: CallHost, path: string, load: () => Promise<Reflectors>) {
    super(call, host, path);
    this.#path = path;
    this.#load = load;
  }

  protected override opened(): void {
    this.#ends = [this.host.stopping, this.caller.ended];
    for (const signal of this.#ends) signal.addEventListener('abort', this.#stop);
    if (this.#ends.some(({ aborted }) => aborted)) this.#stop();
    else this.#loadAndBegin();
  }

  override onReceiveMessage(message: Buffer): void {
    if (this.ended) return;
    try {
      this.caller.assertCurrent();
      this.#stream.emit('data', this.#reflector?.decode(message));
    } catch (reason) {
      this.fail(reason);
    }
  }

  override onReceiveHalfClose(): void {
    this.#stream.emit('end');
  }

  override onCancel(): void {
    super.onCancel();
    for (const signal of this.#ends) signal.removeEventListener('abort', this.#stop);
  }

  #loadAndBegin(): void {
    this.#load()
      .then((reflectors) => this.#begin(reflectors.get(this.#path)))
      .catch((reason) => this.fail(reason));
  }

  #begin(reflector: Reflector | undefined): void {
    if (reflector === undefined) throw new Error(`the reflection library lacks ${this.#path}`);
    this.#reflector = reflector;
    reflector.serve(
      Object.assign(this.#stream, {
        write: (answer: unknown) => this.call.sendMessage(reflector.encode(answer), this.#read),
        end: () => this.succeed(),
      }),
    );
    this.#read();
  }

  readonly #read = (): void => {
    if (!this.ended) this.call.startRead();
  };

  readonly #stop = (): void => {
    const { ended } = this.caller;
    if (ended.aborted) this.fail(ended.reason);
    else this.fail(new HubError('unavailable', 'the hub is stopping: ask again once it is back'));
  };
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
