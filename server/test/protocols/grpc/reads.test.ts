import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';
import { GrpcClient, type Message, struct } from './grpc-client.ts';

let hub: TestHub;
let client: GrpcClient;
let positions: readonly string[];

beforeAll(async () => {
  hub = await startTestHub();
  client = new GrpcClient(hub.grpcAddress);
  const base = { user_id: 'u1', timestamp: '2026-06-30T10:00:00Z', currency: 'EUR' };
  const { results } = await client.call('SendEventBatch', {
    events: [
      { ...base, event_type: 'purchase', amount_exact: '0.1', id: 'r-0' },
      { ...base, event_type: 'purchase', amount_exact: '0.2', id: 'r-1' },
      { ...base, event_type: 'refund', amount: 0.05, id: 'r-2' },
      { ...base, event_type: 'purchase', amount: 5, currency: 'USD', user_id: 'u2', id: 'r-3' },
    ],
  });
  positions = (results as Message[]).map((each) => String(each.position));
});

afterAll(async () => {
  client.close();
  await hub.remove();
});

const window = { from: '2026-06-30T10:00:00Z', to: '2026-06-30T10:01:00Z' };
const idsOf = (answer: Message) => (answer.events as Message[]).map((each) => each.id);

describe('GetEvent', () => {
  it('gives one event by its id', async () => {
    expect(await client.call('GetEvent', { id: 'r-2' })).toMatchObject({
      event_type: 'refund',
      amount_exact: '0.05',
      position: positions[2],
    });
  });

  it('reads what was just written with at_least', async () => {
    const { event_id, position } = await client.call('SendEvent', {
      user_id: 'u9',
      event_type: 'return',
      amount: 1,
    });
    const found = await client.call('GetEvent', { id: event_id, at_least: position });
    expect(found.position).toBe(position);
  });

  it('says NOT_FOUND for an unknown id', async () => {
    const failure = await client.failure(client.call('GetEvent', { id: 'unknown' }));
    expect(failure).toMatchObject({ code: status.NOT_FOUND, reason: 'not_found' });
  });

  it('refuses no id', async () => {
    const failure = await client.failure(client.call('GetEvent'));
    expect([status.INVALID_ARGUMENT, status.NOT_FOUND]).toContain(failure.code);
  });
});

describe('ListEvents', () => {
  it('pages through all events, newest first', async () => {
    const filter = { user_id: ['u1', 'u2'] };
    const first = await client.call('ListEvents', { limit: 3, filter });
    expect(idsOf(first)).toEqual(['r-3', 'r-2', 'r-1']);
    const second = await client.call('ListEvents', { limit: 3, filter, cursor: first.next });
    expect(idsOf(second)).toEqual(['r-0']);
    expect(second.next).toBeUndefined();
  });

  it('filters by type, currency and time', async () => {
    const purchases = { event_type: ['purchase'], currency: 'EUR' };
    const answer = await client.call('ListEvents', { filter: purchases, order: 'asc', ...window });
    expect(idsOf(answer)).toEqual(['r-0', 'r-1']);
  });

  it.each([
    [{ limit: 0 }, 'limit'],
    [{ limit: 1001 }, 'limit'],
    [{ order: 'up' }, 'order'],
    [{ cursor: 'x' }, 'cursor'],
    [{ from: 'yesterday' }, 'from'],
  ])('refuses %j', async (request, fieldName) => {
    const failure = await client.failure(client.call('ListEvents', request));
    expect(failure.code).toBe(status.INVALID_ARGUMENT);
    expect(failure.violations.map((each) => each.field)).toContain(fieldName);
  });

  it('ends a page before a client would refuse its size, and goes on from there', async () => {
    const metadata = struct({ text: 'x'.repeat(16_000) });
    const events = Array.from({ length: 300 }, (_, index) => ({
      user_id: 'large',
      event_type: 'purchase',
      amount: 1,
      id: `large-${index}`,
      metadata,
    }));
    await client.call('SendEventBatch', { events });
    const found: unknown[] = [];
    let pages = 0;
    let cursor: unknown = '';
    do {
      const filter = { user_id: ['large'] };
      const page = await client.call('ListEvents', { limit: 1000, filter, cursor, order: 'asc' });
      found.push(...idsOf(page));
      const bytes = (page.events as Message[]).length * 16_000;
      expect(bytes).toBeLessThan(limits.grpcPageBytes);
      cursor = page.next;
      pages += 1;
    } while (cursor !== undefined);
    expect(found).toEqual(events.map((each) => each.id));
    expect(pages).toBe(2);
  });
});

describe('AggregatedMetrics', () => {
  it('sums exactly, by type and currency', async () => {
    const totals = await client.call('AggregatedMetrics', { ...window, currency: 'EUR' });
    expect(totals).toMatchObject({
      total_amount: 0.35,
      total_amount_exact: '0.35',
      net_amount: 0.25,
      net_amount_exact: '0.25',
      event_count: 3,
      time_window: 'custom',
      currency: 'EUR',
      from: '2026-06-30T10:00:00.000Z',
      to: '2026-06-30T10:01:00.000Z',
      by_type: [
        { event_type: 'purchase', sign: '+', event_count: 2, total_amount_exact: '0.3' },
        { event_type: 'refund', sign: '-', event_count: 1, total_amount_exact: '0.05' },
      ],
    });
  });

  it('leaves the sums out when currencies mix', async () => {
    const totals = await client.call('AggregatedMetrics', window);
    expect(totals).not.toHaveProperty('total_amount_exact');
    expect(totals).not.toHaveProperty('total_amount');
    expect(totals).not.toHaveProperty('currency');
    expect(totals.by_currency).toMatchObject([
      { currency: 'EUR', net_amount_exact: '0.25' },
      { currency: 'USD', net_amount_exact: '5' },
    ]);
  });

  it('takes the last minute when nothing is asked, with the newest event counted', async () => {
    const { position, event_id } = await client.call('SendEvent', {
      user_id: 'u1',
      event_type: 'purchase',
      amount: 1,
    });
    expect(event_id).toBeTruthy();
    const totals = await client.call('AggregatedMetrics', { at_least: position });
    expect(totals).toMatchObject({ time_window: 'last_1_minutes', as_of: { position } });
  });

  it('says 0 of an empty window', async () => {
    const empty = { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' };
    expect(await client.call('AggregatedMetrics', empty)).toMatchObject({
      event_count: 0,
      total_amount: 0,
      total_amount_exact: '0',
    });
  });

  it.each([{ minutes: 0 }, { minutes: -5 }, { minutes: 525_601 }, { to: window.to }])(
    'refuses %j',
    async (request) => {
      const failure = await client.failure(client.call('AggregatedMetrics', request));
      expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'invalid' });
    },
  );
});
