import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { type BatchAnswer, failureOf, type ProtocolDriver } from '../drivers/protocol-driver.ts';
import {
  aSend,
  aUser,
  type CreateHarness,
  sendAndSee,
  someSends,
  useHub,
} from './hub-under-test.ts';

/** Many events in one call. */
export function batchSuite(createHarness: CreateHarness): void {
  describe('sending a batch', () => {
    const hub = useHub(createHarness);

    it('answers one result for each event, in order, and keeps the good ones', async () => {
      for (const driver of hub().all) {
        const user_id = aUser();
        const known = aSend({ user_id });
        const { position } = await sendAndSee(driver, known);
        const fresh = aSend({ user_id });
        const answer = await driver.sendBatch([
          fresh,
          known,
          { ...known, amount: '11' },
          aSend({ user_id, amount: '1.1234567' }),
          { ...fresh },
          { ...fresh, amount: '12' },
          aSend({ user_id, id: undefined, currency: 'EUR' }),
        ]);
        const of = statusOf(answer);
        expect(of, driver.name).toEqual([
          'success',
          'duplicate',
          'rejected conflict /id id_conflict',
          'rejected invalid /amount amount_precision',
          'duplicate',
          'rejected conflict /id id_conflict',
          'success',
        ]);
        const { accepted, duplicates, rejected, results } = answer;
        expect({ accepted, duplicates, rejected }).toEqual({
          accepted: 2,
          duplicates: 2,
          rejected: 3,
        });
        expect(results.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
        expect(results[1]?.position).toBe(position);
        expect(results[4]?.position).toBe(results[0]?.position);
        await expectStored(driver, user_id, answer, 3);
      }
    });

    it('makes an id for each event without one', async () => {
      for (const driver of hub().all) {
        const { results } = await driver.sendBatch(someSends(5, { id: undefined }));
        const ids = results.map(({ id }) => id);
        expect(new Set(ids).size).toBe(5);
        for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
      }
    });

    it('takes a thousand events, and the same thousand again as duplicates', async () => {
      for (const driver of hub().all) {
        const user_id = aUser();
        const events = someSends(1_000, { user_id, amount: '0.1' });
        const first = await driver.sendBatch(events);
        expect(first).toMatchObject({ accepted: 1_000, duplicates: 0, rejected: 0 });
        await expectStored(driver, user_id, first, 1_000);
        const again = await driver.sendBatch(events);
        expect(again).toMatchObject({ accepted: 0, duplicates: 1_000, rejected: 0 });
        expect(again.results.map(({ position }) => position)).toEqual(
          first.results.map(({ position }) => position),
        );
        const window = { user_id, minutes: 60 };
        expect(await driver.aggregate(window)).toMatchObject({
          event_count: 1_000,
          total_amount: '100',
        });
      }
    });

    it('refuses an empty batch and one that is too long, over every protocol', async () => {
      for (const driver of hub().all) {
        expect(await failureOf(driver.sendBatch([])), driver.name).toMatchObject({
          code: 'invalid',
          errors: [{ code: 'empty_batch' }],
        });
        const long = Array.from({ length: limits.batchEvents + 1 }, () => ({
          user_id: 'too-many',
          event_type: 'purchase',
          amount: 1,
        }));
        expect(await failureOf(driver.sendBatch(long)), driver.name).toMatchObject({
          code: 'too_large',
          errors: [{ code: 'batch_too_large' }],
        });
      }
      expect((await hub().rest.list({ user_id: ['too-many'] })).events).toEqual([]);
    });
  });

  describe('sending an atomic batch', () => {
    const hub = useHub(createHarness);

    it.each([
      ['invalid', { amount: -1 }, 'rejected invalid /amount amount_negative'],
      ['in conflict', { amount: '11' }, 'rejected conflict /id id_conflict'],
    ])('writes nothing when one event is %s', async (_, change, refusal) => {
      for (const driver of hub().all) {
        const user_id = aUser();
        const known = aSend({ user_id });
        await sendAndSee(driver, known);
        const [before, after] = someSends(2, { user_id });
        const events = [before, { ...known, ...change }, after].filter(
          (each) => each !== undefined,
        );
        const answer = await driver.sendBatch(events, { atomic: true });
        expect(statusOf(answer), driver.name).toEqual(['not_stored', refusal, 'not_stored']);
        expect(answer).toMatchObject({ accepted: 0, duplicates: 0, rejected: 1 });
        expect((await driver.list({ user_id: [user_id] })).events).toHaveLength(1);
        expect((await failureOf(driver.get(before?.id ?? ''))).code).toBe('not_found');
        const mended = await driver.sendBatch([...events.slice(0, 1), known], { atomic: true });
        expect(statusOf(mended)).toEqual(['success', 'duplicate']);
      }
    });

    it('writes all when all are good, duplicates among them', async () => {
      for (const driver of hub().all) {
        const user_id = aUser();
        const known = aSend({ user_id });
        await sendAndSee(driver, known);
        const answer = await driver.sendBatch([known, ...someSends(3, { user_id })], {
          atomic: true,
        });
        expect(statusOf(answer)).toEqual(['duplicate', 'success', 'success', 'success']);
        await expectStored(driver, user_id, answer, 4);
      }
    });
  });
}

function statusOf({ results }: BatchAnswer): readonly string[] {
  return results.map(({ status, error }) => {
    if (error === undefined) return status;
    const faults = error.errors.map(({ pointer, code }) => `${pointer} ${code}`);
    return [status, error.code, ...faults].join(' ');
  });
}

/** What the answer calls stored can be read, and nothing else of this user. */
async function expectStored(
  driver: ProtocolDriver,
  user: string,
  { results }: BatchAnswer,
  count: number,
): Promise<void> {
  const at_least = results.findLast(({ status }) => status === 'success')?.position ?? '';
  const { events } = await driver.list({ user_id: [user], limit: limits.pageEvents, at_least });
  expect(events, driver.name).toHaveLength(count);
  const stored = new Map(events.map(({ id, position }) => [id, position]));
  for (const { id = '', position } of results) {
    if (position !== undefined) expect(stored.get(id), driver.name).toBe(position);
  }
}
