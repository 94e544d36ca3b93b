import { type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
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

  it('is watched by so many at once, whatever they ask for, and by another one when one has gone', async () => {
    const hub = await startTestHub();
    const watcher = new GrpcClient(hub.grpcAddress);
    const watch = (service: string) => {
      const stream = watcher.stream(`${health}/Watch`, { service });
      const begun = take(stream, 1).finally(() => stream.on('error', () => undefined));
      return { stream, begun };
    };
    const watches = Array.from({ length: limits.grpcHealthWatchesMax }, (_, at) =>
      watch(at % 2 === 0 ? '' : 'other'),
    );
    await Promise.all(watches.map(({ begun }) => begun));
    const refused = await watcher.failure(watch('').begun);
    expect(refused).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: 'rate_limited' });
    expect(refused.retryDelay).toBeGreaterThan(0);
    expect(await watcher.call(`${health}/Check`)).toEqual({ status: SERVING });

    watches[0]?.stream.cancel();
    await expect.poll(() => watch('').begun.catch(() => undefined)).toEqual([{ status: SERVING }]);
    expect((await watcher.failure(watch('').begun)).reason).toBe('rate_limited');
    watcher.close();
    await hub.remove();
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
