import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

/** The bare limit of a unary call: grpc-js decodes the request and answers with its id. Nothing is kept. */
const contract = new URL('../../contracts/event_hub.proto', import.meta.url).pathname;
const types = await protobuf.load(contract);
const requestType = types.lookupType('event_hub.v1.EventRequest');
const responseType = types.lookupType('event_hub.v1.EventResponse');

interface Request {
  readonly id: string;
}

const server = new Server();
server.addService(
  {
    sendEvent: {
      path: '/event_hub.v1.EventService/SendEvent',
      requestStream: false,
      responseStream: false,
      requestSerialize: (request: Request) => Buffer.from(requestType.encode(request).finish()),
      requestDeserialize: (bytes: Buffer) => requestType.decode(bytes) as unknown as Request,
      responseSerialize: (response: object) => Buffer.from(responseType.encode(response).finish()),
      responseDeserialize: (bytes: Buffer) => responseType.decode(bytes) as object,
    },
  },
  {
    sendEvent: (call: ServerUnaryCall<Request, object>, answer: sendUnaryData<object>) => {
      answer(null, { eventId: call.request.id, status: 'success', position: '0000000000000001' });
    },
  },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.send?.({ grpc: `127.0.0.1:${port}` });
});
process.on('SIGTERM', () => process.exit(0));
