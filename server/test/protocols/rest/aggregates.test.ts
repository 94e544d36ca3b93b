import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anInput, get, postEvents, type RestAnswer } from '../../support/rest-calls.ts';
import { startTestHub, type TestHub } from '../../support/start-test-hub.ts';

let hub: TestHub;
let position: string;
beforeAll(async () => {
  hub = await startTestHub();
  const at = (time: string, event_type: string, amount: string, currency: string) =>
    anInput({ timestamp: `2026-06-30T${time}Z`, event_type, amount, currency });
  const answer = await postEvents(hub.url, [
    at('10:00:00', 'purchase', '150.75', 'EUR'),
    at('10:00:59.999', 'refund', '0.1', 'EUR'),
    at('10:01:00', 'purchase', '0.2', 'EUR'),
    at('10:06:00', 'purchase', '999999999999', 'USD'),
    at('10:06:00', 'return', '7', 'USD'),
  ]);
  position = answer.json.results.at(-1).position;
});
afterAll(() => hub.remove());

function aggregates(query: string): Promise<RestAnswer> {
  return get(hub.url, `/aggregates${query}&at_least=${position}`);
}
const hour = 'from=2026-06-30T10:00:00Z&to=2026-06-30T11:00:00Z';

describe('GET /aggregates', () => {
  it('gives exact totals of one currency', async () => {
    const { json, headers } = await aggregates(`?${hour}&currency=EUR`);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(json).toEqual({
      from: '2026-06-30T10:00:00.000Z',
      to: '2026-06-30T11:00:00.000Z',
      time_window: 'custom',
      currency: 'EUR',
      event_count: 3,
      total_amount: '151.05',
      net_amount: '150.85',
      by_type: [
        {
          event_type: 'purchase',
          sign: '+',
          currency: 'EUR',
          event_count: 2,
          total_amount: '150.95',
        },
        { event_type: 'refund', sign: '-', currency: 'EUR', event_count: 1, total_amount: '0.1' },
      ],
      by_currency: [
        { currency: 'EUR', event_count: 3, total_amount: '151.05', net_amount: '150.85' },
      ],
      as_of: { position, received_at: expect.stringMatching(/Z$/) },
    });
  });

  it('never adds amounts of different currencies', async () => {
    const { json } = await aggregates(`?${hour}`);
    expect(json).toMatchObject({
      currency: null,
      event_count: 5,
      total_amount: null,
      net_amount: null,
    });
    expect(json.by_currency).toEqual([
      expect.objectContaining({ currency: 'EUR', total_amount: '151.05' }),
      expect.objectContaining({
        currency: 'USD',
        total_amount: '1000000000006',
        net_amount: '999999999992',
      }),
    ]);
  });

  it('is exact to the millisecond at both ends', async () => {
    const window = 'from=2026-06-30T10:00:00.001Z&to=2026-06-30T10:00:59.999Z';
    const { json } = await aggregates(`?${window}`);
    expect(json).toMatchObject({ event_count: 0, total_amount: '0', net_amount: '0', by_type: [] });
  });

  it('takes the last minute where nothing is said', async () => {
    const { json } = await get(hub.url, '/aggregates');
    expect(json.time_window).toBe('last_1_minutes');
    expect(Date.parse(json.to) - Date.parse(json.from)).toBe(60_000);
  });

  it.each([
    ['minutes=0', '/minutes'],
    ['minutes=-5', '/minutes'],
    ['minutes=525601', '/minutes'],
    ['minutes=5&from=2026-06-30T10:00:00Z', '/minutes'],
    ['to=2026-06-30T10:00:00Z', '/from'],
    ['from=2026-06-30T11:00:00Z&to=2026-06-30T10:00:00Z', '/from'],
    ['minute=5', '/minute'],
    ['minutes=5&minutes=6', '/minutes'],
  ])('refuses %s', async (query, pointer) => {
    const answer = await get(hub.url, `/aggregates?${query}`);
    expect(answer.status).toBe(422);
    expect(answer.json.errors[0].pointer).toBe(pointer);
  });
});

describe('GET /aggregates/series', () => {
  const series = (query: string) =>
    get(hub.url, `/aggregates/series?${query}&at_least=${position}`);

  it('cuts the window at UTC multiples and leaves no bucket out', async () => {
    const window = 'from=2026-06-30T10:00:30Z&to=2026-06-30T10:07:00Z';
    const { json } = await series(`${window}&step=5m&currency=EUR`);
    expect(json.step).toBe('5m');
    expect(json.buckets).toMatchObject([
      {
        from: '2026-06-30T10:00:30.000Z',
        to: '2026-06-30T10:05:00.000Z',
        event_count: 2,
        total_amount: '0.3',
      },
      {
        from: '2026-06-30T10:05:00.000Z',
        to: '2026-06-30T10:07:00.000Z',
        event_count: 0,
        total_amount: '0',
      },
    ]);
    expect(json.buckets[0]).not.toHaveProperty('event_type');
  });

  it('has one bucket for each group present', async () => {
    const { json } = await series(`${hour}&step=1h&group_by=event_type`);
    const groups = json.buckets.map((each: { event_type: string }) => each.event_type);
    expect(groups).toEqual(['purchase', 'refund', 'return']);
  });

  it('takes a long series and refuses a longer one', async () => {
    const long = await series('from=2026-06-01T00:00:00Z&to=2026-06-07T22:40:00Z&step=1m');
    expect(long.json.buckets).toHaveLength(10_000);
    const longer = await series('from=2026-06-01T00:00:00Z&to=2026-06-07T22:41:00Z&step=1m');
    expect(longer.status).toBe(422);
  });

  it.each([
    ['step=2m', '/step'],
    ['group_by=user_id', '/group_by'],
    ['stepp=1m', '/stepp'],
  ])('refuses %s', async (query, pointer) => {
    const answer = await series(`${hour}&${query}`);
    expect(answer.status).toBe(422);
    expect(answer.json.errors[0].pointer).toBe(pointer);
  });
});
