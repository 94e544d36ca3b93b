import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor/index.js';
import { describe, expect, it } from 'vitest';
import type { Message } from './grpc-client.ts';
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
