import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startTestHub } from '../../support/start-test-hub.ts';
import { GrpcClient } from './grpc-client.ts';

let taken: Server | undefined;

afterEach(() => {
  taken?.close();
});

describe('the gRPC server', () => {
  it('names a taken address and the setting to change', async () => {
    taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await expect(startTestHub({ grpc: { host: '127.0.0.1', port } })).rejects.toThrow(
      `127.0.0.1:${port} is taken: set EVENT_HUB_GRPC_PORT`,
    );
  });

  it('finishes calls under way when it stops, and stores what it answers', async () => {
    const hub = await startTestHub();
    const client = new GrpcClient(hub.grpcAddress);
    const sent = Array.from({ length: 200 }, (_, index) =>
      client
        .call('SendEvent', { user_id: 'u', event_type: 'purchase', amount: 1, id: `e-${index}` })
        .then((answer) => String(answer.status))
        .catch((error) => client.read(error).reason ?? error.details),
    );
    await sent[0];
    await hub.remove();
    const outcomes = await Promise.all(sent);
    client.close();
    expect(outcomes[0]).toBe('success');
    expect(outcomes).not.toContain('internal');
  });
});
