import { afterAll, beforeAll } from 'vitest';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { GrpcClient } from './grpc-client.ts';

export interface ServedHub {
  readonly hub: TestHub;
  readonly client: GrpcClient;
}

/** A hub for the tests of one file, and a client of its gRPC port: both are there while they run. */
export function servedHub(): ServedHub {
  let hub: TestHub;
  let client: GrpcClient;
  beforeAll(async () => {
    hub = await startTestHub();
    client = new GrpcClient(hub.grpcAddress);
  });
  afterAll(async () => {
    client.close();
    await hub.remove();
  });
  return {
    get hub() {
      return hub;
    },
    get client() {
      return client;
    },
  };
}
