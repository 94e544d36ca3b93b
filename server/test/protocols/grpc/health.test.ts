import { type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { startTestHub } from '../../support/start-test-hub.ts';
import { all, GrpcClient, type Message, take } from './grpc-client.ts';
import { servedHub } from './served-hub.ts';

const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;
const health = '/grpc.health.v1.Health';

const served = servedHub();

describe('the health service', () => {
  it.each(['', 'event_hub.v1.EventService'])('says SERVING of "%s"', async (service) => {
    expect(await served.client.call(`${health}/Check`, { service })).toEqual({ status: SERVING });
  });

  it('does not know other services', async () => {
    const failure = await served.client.failure(
      served.client.call(`${health}/Check`, { service: 'other' }),
    );
    expect(failure.code).toBe(status.NOT_FOUND);
    const stream = served.client.stream(`${health}/Watch`, { service: 'other' });
    expect(await take(stream, 1)).toEqual([{ status: SERVICE_UNKNOWN }]);
    stream.on('error', () => undefined);
    stream.cancel();
  });

  it('lists the state of all services', async () => {
    expect(await served.client.call(`${health}/List`)).toEqual({
      statuses: {
        '': { status: SERVING },
        'event_hub.v1.EventService': { status: SERVING },
      },
    });
  });

  it('tells who watches that the hub stops', async () => {
    const stopping = await startTestHub();
    const watcher = new GrpcClient(stopping.grpcAddress);
    const stream = watcher.stream(`${health}/Watch`);
    const seen: Message[] = await take(stream, 1);
    const rest = all(stream).catch((error: ServiceError) => error.code);
    stream.on('data', (message: Message) => seen.push(message));
    await stopping.remove();
    expect(await rest).toBe(status.UNAVAILABLE);
    expect(seen.map((each) => each.status)).toEqual([SERVING, NOT_SERVING]);
    watcher.close();
  });
});
