import type { Protocol } from '../protocol.ts';

/** gRPC on a port of its own; its libraries are loaded only where it is served. */
export const grpcProtocol: Protocol = {
  name: 'grpc',
  role: 'grpc',
  start: async (host) => (await import('./grpc-server.ts')).startGrpcServer(host),
};
