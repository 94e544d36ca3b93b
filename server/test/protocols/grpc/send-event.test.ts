import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { startTestHub } from '../../support/start-test-hub.ts';
import { GrpcClient, struct } from './grpc-client.ts';
import { servedHub } from './served-hub.ts';

const served = servedHub();

const purchase = { user_id: 'u1', event_type: 'purchase', amount: 150.75 };

describe('SendEvent', () => {
  it('stores an event and names its id and position', async () => {
    const answer = await served.client.call('SendEvent', { ...purchase, id: 'send-1' });
    expect(answer).toMatchObject({ event_id: 'send-1', status: 'success' });
    const stored = await served.client.call('GetEvent', { id: 'send-1' });
    expect(stored).toMatchObject({ user_id: 'u1', amount: 150.75, position: answer.position });
  });

  it('makes an id where the sender gave none', async () => {
    const { event_id } = await served.client.call('SendEvent', purchase);
    expect(event_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('answers a retry with the position of the first', async () => {
    const first = await served.client.call('SendEvent', { ...purchase, id: 'twice' });
    const second = await served.client.call('SendEvent', { ...purchase, id: 'twice' });
    expect(second).toMatchObject({ status: 'duplicate', position: first.position });
  });

  it('refuses a known id with other content, naming it', async () => {
    await served.client.call('SendEvent', { ...purchase, id: 'taken' });
    const failure = await served.client.failure(
      served.client.call('SendEvent', { ...purchase, amount: 1, id: 'taken' }),
    );
    expect(failure).toMatchObject({ code: status.ALREADY_EXISTS, reason: 'conflict' });
    expect(failure.metadata).toMatchObject({ id: 'taken', retry: 'no' });
  });

  it('lists every fault of an invalid event', async () => {
    const failure = await served.client.failure(
      served.client.call('SendEvent', { event_type: 'gift', amount: -1, currency: 'eur' }),
    );
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'invalid' });
    expect(failure.violations.map((each) => each.field)).toEqual([
      'user_id',
      'event_type',
      'amount',
      'currency',
    ]);
  });

  it('writes the path of a fault inside metadata with dots', async () => {
    const failure = await served.client.failure(
      served.client.call('SendEvent', { ...purchase, metadata: struct({ a: { $b: 1 } }) }),
    );
    expect(failure.violations.map((each) => each.field)).toEqual(['metadata.a.$b']);
  });

  it('takes an exact amount that a double cannot hold', async () => {
    await served.client.call('SendEvent', {
      user_id: 'u1',
      event_type: 'purchase',
      amount_exact: '999999999998.123456',
      id: 'exact',
    });
    const stored = await served.client.call('GetEvent', { id: 'exact' });
    expect(stored.amount_exact).toBe('999999999998.123456');
  });

  it('takes both amounts when they are equal, such as those of an event it gave out', async () => {
    const { amount, amount_exact } = await served.client.call('GetEvent', { id: 'exact' });
    const both = { ...purchase, amount, amount_exact };
    expect(await served.client.call('SendEvent', both)).toMatchObject({ status: 'success' });
    expect(
      await served.client.call('SendEvent', {
        ...purchase,
        amount: 150.75,
        amount_exact: '150.750',
      }),
    ).toMatchObject({ status: 'success' });
  });

  it.each([
    ['two amounts that differ', { amount: 150.75, amount_exact: '150.76' }, 'amount_exact'],
    ['an amount that is not finite', { amount: Number.NaN }, 'amount'],
    ['an infinite amount', { amount: Number.POSITIVE_INFINITY }, 'amount'],
    ['an amount of more decimals', { amount: 1.0000001 }, 'amount'],
    ['an exact amount that is empty', { amount_exact: '' }, 'amount'],
    ['an empty id', { id: '' }, 'id'],
    ['an empty timestamp', { timestamp: '' }, 'timestamp'],
    ['an empty currency', { currency: '' }, 'currency'],
    ['a timestamp without an offset', { timestamp: '2026-06-30T10:00:00' }, 'timestamp'],
    ['metadata that is not finite', { metadata: struct({ a: Number.NaN }) }, 'metadata.a'],
  ])('refuses %s', async (_, change, fieldName) => {
    const failure = await served.client.failure(
      served.client.call('SendEvent', { ...purchase, ...change }),
    );
    expect(failure.code).toBe(status.INVALID_ARGUMENT);
    expect(failure.violations.map((each) => each.field)).toEqual([fieldName]);
  });

  it('takes -0 for 0', async () => {
    await served.client.call('SendEvent', { ...purchase, amount: -0, id: 'zero' });
    expect(await served.client.call('GetEvent', { id: 'zero' })).toMatchObject({
      amount_exact: '0',
    });
  });

  it('keeps metadata as it was sent', async () => {
    const metadata = { b: [1, 'two', null, { c: true }], a: { toString: -0.5 } };
    await served.client.call('SendEvent', { ...purchase, id: 'meta', metadata: struct(metadata) });
    const stored = await served.client.call('GetEvent', { id: 'meta' });
    expect(stored.metadata).toEqual(struct(metadata));
  });

  it('refuses a Value that holds nothing', async () => {
    const failure = await served.client.failure(
      served.client.call('SendEvent', { ...purchase, metadata: { fields: { a: {} } } }),
    );
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'unreadable' });
  });
});

describe('SendEventBatch', () => {
  it('gives each event its own result, in order', async () => {
    await served.client.call('SendEvent', { ...purchase, id: 'batch-known' });
    const answer = await served.client.call('SendEventBatch', {
      events: [
        { ...purchase, id: 'batch-1' },
        { ...purchase, event_type: 'gift', id: 'batch-2' },
        { ...purchase, id: 'batch-known' },
        { ...purchase, amount_exact: '7', id: 'batch-3' },
      ],
    });
    expect(answer).toMatchObject({ accepted: 1, duplicates: 1, rejected: 2 });
    const results = answer.results as { status: string; id?: string; error?: { code: string } }[];
    expect(results.map((each) => each.status)).toEqual([
      'success',
      'rejected',
      'duplicate',
      'rejected',
    ]);
    expect(results[1]).toMatchObject({ index: 1, id: 'batch-2', error: { code: 'invalid' } });
    expect(results[3]?.error).toMatchObject({ errors: [{ pointer: '/amount_exact' }] });
  });

  it('writes nothing of an atomic batch with a refused event', async () => {
    const answer = await served.client.call('SendEventBatch', {
      atomic: true,
      events: [
        { ...purchase, id: 'atomic-1' },
        { ...purchase, amount: -1 },
      ],
    });
    expect(answer).toMatchObject({
      rejected: 1,
      results: [{ status: 'not_stored', id: 'atomic-1' }, { status: 'rejected' }],
    });
    const failure = await served.client.failure(served.client.call('GetEvent', { id: 'atomic-1' }));
    expect(failure.code).toBe(status.NOT_FOUND);
  });

  it('refuses an empty batch', async () => {
    const failure = await served.client.failure(
      served.client.call('SendEventBatch', { events: [] }),
    );
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'invalid' });
    expect(failure.violations).toMatchObject([{ field: 'events', reason: 'empty_batch' }]);
  });

  it('refuses more than 10,000 events', async () => {
    const events = Array.from({ length: 10_001 }, () => purchase);
    const failure = await served.client.failure(served.client.call('SendEventBatch', { events }));
    expect(failure).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: 'too_large' });
  });
});

describe('a hub whose disk is full', () => {
  it('answers a batch with unknown and the ids to retry with, and a single event with its id', async () => {
    const full = await startTestHub({}, { pageCountMax: 100 });
    const sender = new GrpcClient(full.grpcAddress);
    try {
      const large = { ...purchase, metadata: struct({ text: 'x'.repeat(15_000) }) };
      const batch = { events: [{ ...large, id: 'named' }, ...Array(99).fill(large)] };
      const answer = await sender.call('SendEventBatch', batch);
      const results = answer.results as { status: string; id: string; error: { code: string } }[];
      expect(results).toHaveLength(100);
      expect(new Set(results.map((each) => each.status))).toEqual(new Set(['unknown']));
      expect(results[0]).toMatchObject({ id: 'named', error: { code: 'unavailable' } });
      expect(new Set(results.map((each) => each.id)).size).toBe(100);

      const stream = sender.duplex('SendEvents');
      for (let index = 0; index < 100; index += 1) stream.write({ ...large, id: `s-${index}` });
      stream.end();
      const codes = new Set<unknown>();
      for await (const { event_id, code } of stream) {
        expect(event_id).toMatch(/^s-\d+$/);
        codes.add(code);
      }
      expect(codes).toContain('unavailable');

      for (let index = 0; index < 100; index += 1) {
        const id = `single-${index}`;
        const sent = sender.call('SendEvent', { ...large, id }).then(() => undefined);
        const failure = await sent.catch((error) => sender.read(error));
        if (failure === undefined) continue;
        expect(failure).toMatchObject({ code: status.UNAVAILABLE, reason: 'unavailable' });
        expect(failure.metadata).toMatchObject({ id });
        expect(failure.retryDelay).toBeGreaterThan(0);
        return;
      }
      throw new Error('the disk was never full');
    } finally {
      sender.close();
      await full.remove();
    }
  });
});
