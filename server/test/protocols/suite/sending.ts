import { describe, expect, it } from 'vitest';
import { failureOf } from '../drivers/protocol-driver.ts';
import {
  aSend,
  aUser,
  type CreateHarness,
  inTurn,
  pairsOf,
  sendAndSee,
  useHub,
} from './hub-under-test.ts';

/** One event at a time. */
export function sendingSuite(createHarness: CreateHarness): void {
  describe('sending one event', () => {
    const hub = useHub(createHarness);

    it('stores it and gives it back alike over every protocol', async () => {
      for (const sender of hub().all) {
        const event = aSend({
          amount: '150.750',
          currency: 'EUR',
          timestamp: '2026-03-01T10:00:00.123456789+02:00',
          metadata: { source: sender.name },
        });
        const { status, id, position } = await sender.send(event);
        expect({ status, id }, sender.name).toEqual({ status: 'success', id: event.id });
        for (const reader of hub().all) {
          expect(await reader.get(id, position), `${sender.name}, ${reader.name}`).toEqual({
            ...event,
            amount: '150.75',
            timestamp: '2026-03-01T08:00:00.123Z',
            received_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
            position,
          });
        }
      }
    });

    it('is a duplicate over any other protocol, with the first position', async () => {
      for (const [first, second] of pairsOf(hub().all)) {
        const event = aSend({ amount: 12.5, metadata: { a: 1, b: [1] } });
        const { position } = await sendAndSee(first, event);
        expect(await second.send(event), `${first.name}, ${second.name}`).toEqual({
          status: 'duplicate',
          id: event.id,
          position,
        });
      }
    });

    it('is a conflict over any other protocol when the content differs, and the first is kept', async () => {
      const base = { currency: 'EUR', timestamp: '2026-03-01T10:00:00Z', metadata: { a: 1 } };
      const others = [
        { amount: '10.01' },
        { user_id: 'u2' },
        { event_type: 'refund' },
        { currency: 'USD' },
        { timestamp: '2026-03-01T10:00:00.001Z' },
        { metadata: { a: 2 } },
        { metadata: undefined },
      ];
      for (const [first, second] of pairsOf(hub().all)) {
        const event = aSend(base);
        const kept = await sendAndSee(first, event);
        for (const change of others) {
          const failure = await failureOf(second.send({ ...event, ...change }));
          expect(failure, `${first.name}, ${second.name}`).toMatchObject({
            code: 'conflict',
            errors: [{ pointer: '/id', code: 'id_conflict' }],
          });
        }
        expect(await second.get(event.id)).toEqual(kept);
      }
    });

    it('takes the same content in other words for a duplicate', async () => {
      for (const [first, second] of pairsOf(hub().all)) {
        const event = aSend({
          amount: '100.50',
          timestamp: '2026-03-01T10:00:00Z',
          metadata: { a: 1, b: { c: 2, d: 3 } },
        });
        await sendAndSee(first, event);
        const { status } = await second.send({
          ...event,
          amount: 100.5,
          currency: 'XXX',
          timestamp: '2026-03-01t12:00:00.000999+02:00',
          metadata: { b: { d: 3, c: 2 }, a: 1 },
        });
        expect(status, `${first.name}, ${second.name}`).toBe('duplicate');
      }
    });

    it('takes a retry without a timestamp for its first try', async () => {
      for (const [first, second] of pairsOf(hub().all)) {
        const event = aSend();
        const { position } = await sendAndSee(first, event);
        const timestamp = '2026-01-01T00:00:00Z';
        for (const retry of [event, { ...event, timestamp }]) {
          expect(await second.send(retry)).toMatchObject({ status: 'duplicate', position });
        }
      }
    });

    it('makes an id of its own where there is none, another for each', async () => {
      const ids = new Set<string>();
      for (const driver of [...hub().all, ...hub().all]) {
        const { id } = await sendAndSee(driver, aSend({ id: undefined }));
        expect(id, driver.name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f-]+$/);
        ids.add(id);
      }
      expect(ids.size).toBe(6);
    });

    it('takes what is left out, or null, by the same defaults', async () => {
      const nothing = { currency: null, timestamp: null, metadata: null };
      for (const driver of hub().all) {
        for (const event of [aSend(), aSend(nothing)]) {
          const seen = await sendAndSee(driver, event);
          expect(seen.currency, driver.name).toBe('XXX');
          expect(seen.timestamp, driver.name).toBe(seen.received_at);
          expect(seen.metadata, driver.name).toBeUndefined();
        }
      }
    });

    it.each([
      ['0', '0'],
      ['0.000001', '0.000001'],
      [0.000001, '0.000001'],
      ['10.10', '10.1'],
      [1e2, '100'],
      [0.1, '0.1'],
      ['123456789.123456', '123456789.123456'],
      [123456789.123456, '123456789.123456'],
      ['999999999998.999999', '999999999998.999999'],
      ['999999999999', '999999999999'],
      [999999999999, '999999999999'],
      ['999999999999.000000', '999999999999'],
    ])('keeps the amount %j to the last digit', async (amount, exact) => {
      for (const sender of hub().all) {
        const { id, position } = await sender.send(aSend({ amount }));
        for (const reader of hub().all) {
          expect((await reader.get(id, position)).amount, reader.name).toBe(exact);
        }
      }
    });

    it.each([
      ['text of many scripts', { größe: 'ü', 名前: '日本語', '🙂': 'é e\u0301 \u202e \ufffd' }],
      ['levels', { a: { b: [{ c: [[], {}, [null, { d: { e: 'f' } }]] }] } }],
      ['numbers', { a: [0, -1, 0.1, 1e21, 5e-324, 1.7976931348623157e308, 9007199254740991] }],
      ['truth values and null', { yes: true, no: false, none: null }],
      ['names that objects have', { toString: 1, hasOwnProperty: 'x', constructor: { a: 1 } }],
      ['lists under such names', { constructor: [{}], a: [{ valueOf: [{ b: [{}] }] }] }],
      ['blanks and escapes', { ' ': ' ', 'a"b\\c/d~e': '\n\t\u0001\u007f</script>' }],
      ['nothing', {}],
    ])('keeps metadata with %s', async (_, metadata) => {
      for (const sender of hub().all) {
        const { id, position } = await sender.send(aSend({ metadata }));
        for (const reader of hub().all) {
          expect((await reader.get(id, position)).metadata, reader.name).toEqual(metadata);
        }
      }
    });

    it('refuses the same with the same faults, and stores nothing', async () => {
      const user = aUser();
      const wrong = [
        { amount: '1.1234567' },
        { amount: -1 },
        { event_type: 'gift', currency: 'eur' },
        { id: 'a b', timestamp: '2026-06-30T10:00:00' },
        { metadata: { 'a.b': 1, c: [{ $d: 1 }] }, amount: '1e3' },
      ];
      for (const changes of wrong) {
        const event = { ...aSend({ user_id: user }), ...changes };
        const [expected, ...others] = await Promise.all(
          hub().all.map((driver) => failureOf(driver.send(event))),
        );
        expect(expected?.code).toBe('invalid');
        for (const failure of others) expect(failure.errors).toEqual(expected?.errors);
      }
      expect((await hub().rest.list({ user_id: [user] })).events).toEqual([]);
    });
  });

  describe('sending one id from 50 callers at once', () => {
    const hub = useHub(createHarness);

    it('stores it once: one success, the rest duplicates of it', async () => {
      const user = aUser();
      const event = aSend({ user_id: user, amount: '7' });
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => inTurn(hub().all, index).send(event)),
      );
      expect(answers.filter(({ status }) => status === 'success')).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 'duplicate')).toHaveLength(49);
      expect(new Set(answers.map(({ position }) => position)).size).toBe(1);
      const at_least = answers[0]?.position ?? '';
      expect((await hub().rest.list({ user_id: [user], at_least })).events).toHaveLength(1);
      const totals = await hub().grpc.aggregate({ user_id: user, minutes: 5, at_least });
      expect(totals).toMatchObject({ event_count: 1, total_amount: '7' });
    });

    it('keeps one content, and refuses the other as a conflict', async () => {
      const event = aSend();
      const answers = await Promise.allSettled(
        Array.from({ length: 50 }, (_, index) =>
          inTurn(hub().all, index).send({ ...event, amount: index < 25 ? '1' : '2' }),
        ),
      );
      const taken = answers.map(({ status }) => status === 'fulfilled');
      expect(taken.filter(Boolean)).toHaveLength(25);
      expect(new Set(taken.slice(0, 25)).size).toBe(1);
      for (const each of answers) {
        if (each.status === 'rejected') expect(each.reason.failure.code).toBe('conflict');
      }
      expect((await sendAndSee(hub().rest, { ...event, amount: taken[0] ? '1' : '2' })).id).toBe(
        event.id,
      );
    });
  });
}
