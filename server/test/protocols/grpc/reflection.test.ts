import { once } from 'node:events';
import { Metadata, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor/index.js';
import { describe, expect, it } from 'vitest';
import { nobody } from '../../../src/auth/caller.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { HubError } from '../../../src/base/errors.ts';
import type { Logger } from '../../../src/base/logger.ts';
import { loadContracts } from '../../../src/protocols/grpc/contracts.ts';
import { reflectionMethods } from '../../../src/protocols/grpc/reflection.ts';
import { createStatusOf } from '../../../src/protocols/grpc/rpc-status.ts';
import type { RawCall } from '../../../src/protocols/grpc/served-call.ts';
import { startTestHub } from '../../support/start-test-hub.ts';
import { GrpcClient, type Message } from './grpc-client.ts';
import { servedHub } from './served-hub.ts';

const served = servedHub();

/** An extension of protobufjs that its typings leave out. */
const { fromDescriptor } = protobuf.Root as unknown as {
  fromDescriptor(set: object): protobuf.Root;
};

describe.each(['v1', 'v1alpha'])('reflection %s', (version) => {
  async function ask(...requests: readonly Message[]): Promise<Message[]> {
    const stream = served.client.duplex(
      `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    );
    for (const request of requests) stream.write(request);
    stream.end();
    const answers: Message[] = [];
    for await (const answer of stream) answers.push(answer);
    return answers;
  }

  it('lists the services', async () => {
    const [answer] = await ask({ list_services: '*' });
    expect(answer?.list_services_response).toEqual({
      service: [{ name: 'event_hub.v1.EventService' }, { name: 'grpc.health.v1.Health' }],
    });
  });

  it('gives files that hold every method and message, with their imports', async () => {
    const [answer] = await ask({ file_containing_symbol: 'event_hub.v1.EventService' });
    const response = answer?.file_descriptor_response as { file_descriptor_proto: Buffer[] };
    const file = response.file_descriptor_proto.map((bytes) =>
      descriptor.FileDescriptorProto.decode(bytes),
    );
    expect(file.map((each) => (each as unknown as { name: string }).name).sort()).toEqual([
      'event_hub.proto',
      'google/protobuf/struct.proto',
    ]);
    const root = fromDescriptor({ file });
    root.resolveAll();
    expect(Object.keys(root.lookupService('event_hub.v1.EventService').methods)).toEqual([
      'SendEvent',
      'SendEventBatch',
      'SendEvents',
      'StreamEvents',
      'GetEvent',
      'ListEvents',
      'AggregatedMetrics',
    ]);
    expect(Object.keys(root.lookupType('event_hub.v1.EventRequest').fields)).toContain(
      'amount_exact',
    );
  });

  it('finds the types of error details', async () => {
    const [answer] = await ask({ file_containing_symbol: 'google.rpc.ErrorInfo' });
    expect(answer).toHaveProperty('file_descriptor_response');
  });

  it('answers an unknown symbol with an error, and goes on', async () => {
    const [unknown, known] = await ask(
      { file_containing_symbol: 'event_hub.v1.Nothing' },
      { file_by_filename: 'event_hub.proto' },
    );
    expect(unknown?.error_response).toMatchObject({ error_code: 5 });
    expect(known).toHaveProperty('file_descriptor_response');
  });
});

describe('a reflection stream', () => {
  it('ends when the hub stops', async () => {
    const hub = await startTestHub();
    const client = new GrpcClient(hub.grpcAddress);
    const stream = client.duplex(path);
    stream.write({ list_services: '*' });
    await once(stream, 'data');
    const failure = once(stream, 'error');
    await hub.remove();
    const [error] = await failure;
    expect(client.read(error)).toMatchObject({ code: status.UNAVAILABLE, reason: 'unavailable' });
    client.close();
  });

  it('reads the next question when the answer to the last has left', async () => {
    const call = await HeldCall.opened();
    expect(call.reads).toBe(1);
    call.ask();
    expect(call.unsent).toHaveLength(1);
    expect(call.reads).toBe(1);
    call.unsent.shift()?.();
    expect(call.reads).toBe(2);
    call.ask();
    expect(call.unsent).toHaveLength(1);
    expect(call.reads).toBe(2);
  });

  it('looks at each question whether its caller may still ask', async () => {
    let refusal: HubError | undefined;
    const call = await HeldCall.opened(() => {
      if (refusal !== undefined) throw refusal;
    });
    call.ask();
    call.unsent.shift()?.();
    refusal = new HubError('unavailable', 'nobody knows who may come in');
    call.ask();
    expect(call.unsent).toEqual([]);
    expect(call.status).toBe(status.UNAVAILABLE);
  });
});

const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

/** A call whose answers leave when the test says so, which a real client cannot see to. */
class HeldCall {
  reads = 0;
  status: number | undefined;
  readonly unsent: (() => void)[] = [];
  #listener: Parameters<RawCall['start']>[0] | undefined;
  #opened: (() => void) | undefined;

  /** Of a caller that is let in, and looked at with `assertCurrent` from then on. */
  static async opened(assertCurrent = (): void => {}): Promise<HeldCall> {
    const contracts = loadContracts();
    const host = {
      clock: systemClock,
      logger: {} as Logger,
      identify: () => ({ ...nobody, assertCurrent }),
      statusOf: createStatusOf(contracts),
      stopping: new AbortController().signal,
    };
    const method = reflectionMethods(host, contracts).find((each) => each.path === path);
    const call = new HeldCall();
    const opened = new Promise<void>((resolve) => {
      call.#opened = resolve;
    });
    method?.serve(call as unknown as RawCall);
    call.#listener?.onReceiveMetadata(new Metadata());
    await opened;
    return call;
  }

  /** ServerReflectionRequest { list_services: '*' } */
  ask(): void {
    this.#listener?.onReceiveMessage(Buffer.from([(7 << 3) | 2, 1, 0x2a]));
  }

  start(listener: Parameters<RawCall['start']>[0]): void {
    this.#listener = listener;
  }

  startRead(): void {
    this.reads += 1;
    this.#opened?.();
  }

  sendMessage(_: unknown, left: () => void): void {
    this.unsent.push(left);
  }

  sendStatus({ code }: { code: number }): void {
    this.status = code;
  }

  getPeer(): string {
    return '127.0.0.1:1';
  }
}
