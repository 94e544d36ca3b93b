import { once } from 'node:events';
import { connect } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { limits } from '../../../src/base/limits.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { all, GrpcClient, type Message, struct, take } from './grpc-client.ts';
import { field, framed, openCall, unframed } from './raw-call.ts';

let hub: TestHub;
let client: GrpcClient;
/** The events of one test, told apart by their user. */
let user = '';
let users = 0;

beforeAll(async () => {
  hub = await startTestHub();
  client = new GrpcClient(hub.grpcAddress);
});

beforeEach(() => {
  users += 1;
  user = `user-${users}`;
});

afterAll(async () => {
  client.close();
  await hub.remove();
});

async function send(first: number, count: number): Promise<readonly Message[]> {
  const events = Array.from({ length: count }, (_, index) => ({
    user_id: user,
    event_type: 'purchase',
    amount: 1,
    id: `${user}-${first + index}`,
  }));
  return (await client.call('SendEventBatch', { events })).results as Message[];
}

const idsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => `${user}-${first + index}`);
const idsOf = (events: readonly Message[]) => events.map((each) => each.id);

describe('StreamEvents', () => {
  it('gives the newest 10 in log order, then ends', async () => {
    await send(0, 15);
    const events = await all(client.stream('StreamEvents', { filter: { user_id: [user] } }));
    expect(idsOf(events)).toEqual(idsFrom(5, 10));
  });

  it('gives as many as asked for', async () => {
    await send(0, 15);
    const filter = { user_id: [user] };
    expect(idsOf(await all(client.stream('StreamEvents', { limit: 3, filter })))).toEqual(
      idsFrom(12, 3),
    );
  });

  it.each([0, -1, 1001])('refuses the limit %i', async (limit) => {
    const failure = await client.failure(all(client.stream('StreamEvents', { limit })));
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'invalid' });
    expect(failure.violations).toMatchObject([{ field: 'limit' }]);
  });

  it('gives everything after a position, then ends', async () => {
    const results = await send(0, 30);
    const after = results[9]?.position;
    const events = await all(client.stream('StreamEvents', { after }));
    expect(idsOf(events)).toEqual(idsFrom(10, 20));
  });

  it('starts at the oldest with after=start and ends at once with after=end', async () => {
    await send(0, 3);
    const filter = { user_id: [user] };
    expect(idsOf(await all(client.stream('StreamEvents', { after: 'start', filter })))).toEqual(
      idsFrom(0, 3),
    );
    expect(await all(client.stream('StreamEvents', { after: 'end', filter }))).toEqual([]);
  });

  it('refuses a position that is none', async () => {
    const failure = await client.failure(all(client.stream('StreamEvents', { after: 'nowhere' })));
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'invalid' });
  });

  it('goes on live after the newest, without a gap or a repeat, while events pour in', async () => {
    await send(0, 20);
    let sent = 20;
    let sending = true;
    const pouring = (async () => {
      while (sending) {
        await send(sent, 25);
        sent += 25;
      }
    })();
    const filter = { user_id: [user] };
    const streams = Array.from({ length: 5 }, () =>
      client.stream('StreamEvents', { limit: 7, follow: true, filter }),
    );
    const taken = await Promise.all(streams.map((stream) => take(stream, 400)));
    sending = false;
    await pouring;
    for (const [index, events] of taken.entries()) {
      const [first] = events;
      const start = Number(String(first?.id).split('-').at(-1));
      expect(idsOf(events)).toEqual(idsFrom(start, 400));
      const stream = streams[index];
      stream?.on('error', () => undefined);
      stream?.cancel();
    }
  });

  it('follows a filter that nothing matches yet', async () => {
    const stream = client.stream('StreamEvents', { follow: true, filter: { user_id: [user] } });
    const first = take(stream, 2);
    await send(0, 2);
    expect(idsOf(await first)).toEqual(idsFrom(0, 2));
    stream.on('error', () => undefined);
    stream.cancel();
  });

  it('resumes behind the last event that was read', async () => {
    await send(0, 5);
    const filter = { user_id: [user] };
    const stream = client.stream('StreamEvents', { follow: true, filter });
    const seen = await take(stream, 5);
    stream.on('error', () => undefined);
    stream.cancel();
    await send(5, 5);
    const rest = await all(client.stream('StreamEvents', { after: seen.at(-1)?.position, filter }));
    expect(idsOf(rest)).toEqual(idsFrom(5, 5));
  });

  it('gives whole events', async () => {
    await client.call('SendEvent', {
      user_id: user,
      event_type: 'refund',
      amount_exact: '10.10',
      currency: 'EUR',
      timestamp: '2026-06-30T12:00:00.1239+02:00',
      id: `${user}-whole`,
      metadata: struct({ order: 'o-1' }),
    });
    const [event] = await all(client.stream('StreamEvents', { filter: { user_id: [user] } }));
    expect(event).toMatchObject({
      id: `${user}-whole`,
      event_type: 'refund',
      amount: 10.1,
      amount_exact: '10.1',
      currency: 'EUR',
      timestamp: '2026-06-30T10:00:00.123Z',
      metadata: struct({ order: 'o-1' }),
      received_at: expect.stringMatching(/^\d{4}-.*Z$/),
      position: expect.any(String),
    });
  });
});

describe('a hub that stops', () => {
  it('ends streams with the position to resume from', async () => {
    const stopping = await startTestHub();
    const reader = new GrpcClient(stopping.grpcAddress);
    const sent = await reader.call('SendEvent', { user_id: 'u', event_type: 'return', amount: 1 });
    const stream = reader.stream('StreamEvents', { follow: true });
    await take(stream, 1);
    const ended = once(stream, 'error') as Promise<ServiceError[]>;
    stream.on('end', () => undefined);
    const ingest = reader.duplex('SendEvents');
    ingest.write({ user_id: 'u', event_type: 'return', amount: 2, id: 'last' });
    const [answer] = await once(ingest, 'data');
    const [cut] = [once(ingest, 'error') as Promise<ServiceError[]>];
    const removed = stopping.remove();
    stream.resume();
    const [error] = await ended;
    if (error === undefined) throw new Error('the stream ended without a failure');
    const failure = reader.read(error);
    expect(failure).toMatchObject({ code: status.UNAVAILABLE, reason: 'unavailable' });
    expect([sent.position, answer.position]).toContain(failure.metadata.position);
    const [ingestError] = await cut;
    expect(ingestError).toMatchObject({ code: status.UNAVAILABLE });
    reader.close();
    await removed;
  });
});

describe('a reader that does not read', () => {
  it('is cut behind the last event that it was sent, and resumes from there', async () => {
    const cut = Promise.withResolvers<void>();
    let isCut = false;
    const clock = {
      ...systemClock,
      after: (ms: number, action: () => void) => {
        // Whoever reads on afterwards has all the time of others.
        if (ms !== limits.subscriberStallMs || isCut) return systemClock.after(ms, action);
        return systemClock.after(300, () => {
          isCut = true;
          action();
          cut.resolve();
        });
      },
    };
    const slow = await startTestHub({}, { clock });
    const reader = new GrpcClient(slow.grpcAddress);
    const session = connect(`http://${slow.grpcAddress}`);
    try {
      const metadata = struct({ text: 'x'.repeat(15_000) });
      const events = Array.from({ length: 200 }, (_, index) => ({
        user_id: 'u',
        event_type: 'purchase',
        amount: 1,
        id: `large-${index}`,
        metadata,
      }));
      await reader.call('SendEventBatch', { events });
      // By hand: grpc-js reads on behind the application's back.
      const stream = openCall(session, 'StreamEvents', framed(field(2, 'start')));
      const trailers = once(stream, 'trailers');
      await cut.promise;
      const seen = reader.decode('StreamEvents', unframed(await buffer(stream)));
      const [{ 'grpc-status': code, 'grpc-status-details-bin': details }] = await trailers;
      expect(Number(code)).toBe(status.ABORTED);
      const failure = reader.readDetails(Buffer.from(details, 'base64'));
      expect(failure).toMatchObject({ reason: 'slow_reader' });
      expect(failure.retryDelay).toBeGreaterThan(0);

      const after = failure.metadata.position;
      expect(seen.at(-1)?.position).toBe(after);
      const rest = await all(reader.stream('StreamEvents', { after }));
      expect(idsOf([...seen, ...rest])).toEqual(events.map((each) => each.id));
      expect(rest.length).toBeGreaterThan(150);
    } finally {
      session.close();
      reader.close();
      await slow.remove();
    }
  });
});
