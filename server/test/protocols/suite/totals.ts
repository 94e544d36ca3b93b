import { describe, expect, it } from 'vitest';
import { failureOf, type TotalsSeen, type WindowQuery } from '../drivers/protocol-driver.ts';
import { aSend, aUser, type CreateHarness, inTurn, sendInTurn, useHub } from './hub-under-test.ts';

/** Exact totals of windows, the same over every protocol. */
export function totalsSuite(createHarness: CreateHarness): void {
  describe('totals', () => {
    const hub = useHub(createHarness);

    /** Over one protocol, having seen that the others say the same. */
    const totalsOf = async (query: WindowQuery): Promise<TotalsSeen> => {
      const [first, ...others] = await Promise.all(hub().all.map((each) => each.aggregate(query)));
      for (const each of others) expect(each).toEqual(first);
      if (first === undefined) throw new Error('there is no driver');
      return first;
    };

    it('of an empty hub are zero, and say that nothing is counted yet', async () => {
      const window = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00+01:00' };
      expect(await totalsOf(window)).toEqual({
        from: '2026-01-01T00:00:00.000Z',
        to: '2026-01-01T23:00:00.000Z',
        time_window: 'custom',
        currency: null,
        event_count: 0,
        total_amount: '0',
        net_amount: '0',
        by_type: [],
        by_currency: [],
        as_of: null,
      });
    });

    it('add exactly, by type and with their signs', async () => {
      const user_id = aUser();
      const sent = await sendInTurn(hub().all, [
        ...minute(user_id, 'purchase', ['0.1', '0.2', 0.3, '100']),
        ...minute(user_id, 'return', ['30.25']),
        ...minute(user_id, 'refund', ['0.000001', 20]),
      ]);
      const newest = sent.at(-1);
      expect(await totalsOf({ user_id, from, to })).toEqual({
        from: '2026-04-01T10:00:00.000Z',
        to: '2026-04-01T10:01:00.000Z',
        time_window: 'custom',
        currency: 'EUR',
        event_count: 7,
        total_amount: '150.850001',
        net_amount: '50.349999',
        by_type: [
          { ...line('purchase', '+'), event_count: 4, total_amount: '100.6' },
          { ...line('refund', '-'), event_count: 2, total_amount: '20.000001' },
          { ...line('return', '-'), event_count: 1, total_amount: '30.25' },
        ],
        by_currency: [
          {
            currency: 'EUR',
            event_count: 7,
            total_amount: '150.850001',
            net_amount: '50.349999',
          },
        ],
        as_of: { position: newest?.position, received_at: newest?.received_at },
      });
      expect(await totalsOf({ user_id, from, to, event_type: 'refund' })).toMatchObject({
        event_count: 2,
        total_amount: '20.000001',
        net_amount: '-20.000001',
      });
    });

    it('never overflow and never round', async () => {
      const user_id = aUser();
      const most = Array.from({ length: 10 }, () => '999999999999');
      await sendInTurn(hub().all, minute(user_id, 'purchase', [...most, '0.000001']));
      expect(await totalsOf({ user_id, from, to })).toMatchObject({
        event_count: 11,
        total_amount: '9999999999990.000001',
        net_amount: '9999999999990.000001',
      });
    });

    it('never add different currencies', async () => {
      const user_id = aUser();
      await sendInTurn(hub().all, [
        ...minute(user_id, 'purchase', ['1.5', '2'], 'USD'),
        ...minute(user_id, 'refund', ['0.5'], 'EUR'),
      ]);
      const usd = { currency: 'USD', event_count: 2, total_amount: '3.5', net_amount: '3.5' };
      const eur = { currency: 'EUR', event_count: 1, total_amount: '0.5', net_amount: '-0.5' };
      expect(await totalsOf({ user_id, from, to })).toMatchObject({
        currency: null,
        event_count: 3,
        total_amount: null,
        net_amount: null,
        by_currency: [eur, usd],
      });
      expect(await totalsOf({ user_id, from, to, currency: 'USD' })).toMatchObject({
        ...usd,
        by_currency: [usd],
      });
      expect(await totalsOf({ user_id, from, to, currency: 'JPY' })).toMatchObject({
        currency: 'JPY',
        event_count: 0,
        total_amount: '0',
        by_currency: [],
      });
    });

    it('hold their first millisecond, and not their last', async () => {
      const user_id = aUser();
      const times = ['09:59:59.999', '10:00:00.000', '10:00:59.999', '10:01:00.000'];
      const at = (time: string) => `2026-04-02T${time}Z`;
      await sendInTurn(
        hub().all,
        times.map((time, index) => aSend({ user_id, amount: 10 ** index, timestamp: at(time) })),
      );
      const sum = async (start: string, end: string) =>
        (await totalsOf({ user_id, from: at(start), to: at(end) })).total_amount;
      expect(await sum('10:00:00.000', '10:01:00.000')).toBe('110');
      expect(await sum('09:59:59.999', '10:01:00.001')).toBe('1111');
      expect(await sum('10:00:00.001', '10:00:59.999')).toBe('0');
      expect(await sum('10:00:59.999', '10:01:00.000')).toBe('100');
    });

    it('count a late event in its own minute', async () => {
      const user_id = aUser();
      const lateAt = '2024-02-29T23:59:59.9999Z';
      await sendInTurn(hub().all, [
        aSend({ user_id, amount: 1 }),
        aSend({ user_id, amount: 2, timestamp: lateAt }),
        aSend({ user_id, amount: 4 }),
      ]);
      const window = { from: '2024-02-29T23:59:00Z', to: '2024-03-01T00:00:00Z' };
      expect(await totalsOf({ user_id, ...window })).toMatchObject({
        event_count: 1,
        total_amount: '2',
      });
      for (const driver of hub().all) {
        expect(await driver.aggregate({ user_id, minutes: 5 })).toMatchObject({
          time_window: 'last_5_minutes',
          event_count: 2,
          total_amount: '5',
        });
      }
    });

    it('are of the last minute when nothing is said, and hold this very moment', async () => {
      for (const driver of hub().all) {
        const user_id = aUser();
        const { position: at_least } = await driver.send(aSend({ user_id }));
        const totals = await driver.aggregate({ user_id, at_least });
        expect(totals).toMatchObject({ time_window: 'last_1_minutes', event_count: 1 });
        expect(Date.parse(totals.to) - Date.parse(totals.from)).toBe(60_000);
      }
    });

    it('refuse the same windows with the same faults', async () => {
      const cases: readonly (readonly [WindowQuery, string, string])[] = [
        [{ minutes: 0 }, '/minutes', 'expected_integer'],
        [{ minutes: 525_601 }, '/minutes', 'expected_integer'],
        [{ minutes: 5, from }, '/minutes', 'window_conflict'],
        [{ to }, '/from', 'required'],
        [{ from: to, to: from }, '/from', 'window_order'],
        [{ from, to: from }, '/from', 'window_order'],
        [{ from: '2026-04-01T10:00:00' }, '/from', 'offset_required'],
        [{ event_type: 'gift' }, '/event_type', 'event_type_unknown'],
        [{ currency: 'usd' }, '/currency', 'currency_unknown'],
        [{ at_least: 'nonsense' }, '/at_least', 'position_format'],
      ];
      for (const driver of hub().all) {
        for (const [query, pointer, code] of cases) {
          const failure = await failureOf(driver.aggregate(query));
          const name = `${driver.name} ${JSON.stringify(query)}`;
          expect(failure, name).toMatchObject({ code: 'invalid', errors: [{ pointer, code }] });
        }
      }
    });
  });

  describe('series', () => {
    const hub = useHub(createHarness);
    const withSeries = () =>
      hub().all.flatMap(({ name, series }) => (series ? { name, series } : []));

    it('are the totals in steps, empty ones included, alike over REST and GraphQL', async () => {
      const user_id = aUser();
      await sendInTurn(
        hub().all,
        [30, 90, 100, 400].map((second, index) =>
          aSend({
            user_id,
            amount: index + 1,
            event_type: inTurn(['purchase', 'refund'], index),
            timestamp: `2026-04-03T10:0${Math.floor(second / 60)}:${String(second % 60).padStart(2, '0')}Z`,
          }),
        ),
      );
      const window = { user_id, from: '2026-04-03T10:00:30Z', to: '2026-04-03T10:07:00Z' };
      expect(withSeries()).toHaveLength(2);
      const [rest, graphql] = await Promise.all(
        withSeries().map(({ series }) => series({ ...window, step: '1m' })),
      );
      expect(rest).toEqual(graphql);
      expect(rest?.buckets.map(({ event_count }) => event_count)).toEqual([1, 2, 0, 0, 0, 0, 1]);
      expect(rest?.buckets.map(({ net_amount }) => net_amount)).toEqual([
        '1',
        '1',
        '0',
        '0',
        '0',
        '0',
        '-4',
      ]);
      expect(rest?.buckets[0]).toMatchObject({
        from: '2026-04-03T10:00:30.000Z',
        to: '2026-04-03T10:01:00.000Z',
        time_window: 'custom',
      });
      const grouped = await Promise.all(
        withSeries().map(({ series }) => series({ ...window, step: '5m', group_by: 'event_type' })),
      );
      expect(grouped[0]).toEqual(grouped[1]);
      const groups = grouped[0]?.buckets.map((each) => [each.event_type, each.total_amount]);
      expect(groups).toEqual([
        ['purchase', '4'],
        ['refund', '2'],
        ['refund', '4'],
      ]);
    });

    it('refuse the same with the same faults', async () => {
      const window = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };
      for (const { name, series } of withSeries()) {
        const cases = [
          [{ ...window, step: '1m' }, 'too_many_buckets'],
          [{ ...window, step: '2m' }, 'unknown_choice'],
          [{ ...window, step: '1d', group_by: 'user_id' }, 'unknown_choice'],
        ] as const;
        for (const [query, code] of cases) {
          expect(await failureOf(series(query)), name).toMatchObject({
            code: 'invalid',
            errors: [{ code }],
          });
        }
      }
    });
  });
}

const from = '2026-04-01T10:00:00Z';
const to = '2026-04-01T10:01:00Z';

function minute(
  user_id: string,
  event_type: string,
  amounts: readonly (string | number)[],
  currency = 'EUR',
) {
  return amounts.map((amount, index) =>
    aSend({
      user_id,
      event_type,
      amount,
      currency,
      timestamp: `2026-04-01T10:00:${String(index * 5).padStart(2, '0')}Z`,
    }),
  );
}

function line(event_type: string, sign: string) {
  return { event_type, sign, currency: 'EUR' };
}
