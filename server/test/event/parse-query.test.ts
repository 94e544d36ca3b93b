import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubError } from '../../src/base/errors.ts';
import { parseJson } from '../../src/base/json.ts';
import { parseEventTypes } from '../../src/event/event-rules.ts';
import { decodeListCursor, encodeListCursor } from '../../src/event/list-cursor.ts';
import {
  parseFilter,
  parseGroupBy,
  parseLimit,
  parseListWindow,
  parseOrder,
  parseStep,
  parseWindow,
} from '../../src/event/parse-query.ts';

const rules = { eventTypes: parseEventTypes('purchase:+,return:-,refund:-') };
const now = Date.UTC(2026, 5, 30, 12, 0, 0, 123);

/** `pointer code` of each fault. */
function faultsOf(action: () => unknown): readonly string[] {
  try {
    action();
  } catch (reason) {
    const error = HubError.from(reason);
    expect(error.code).toBe('invalid');
    return error.details.map(({ pointer, code }) => `${pointer} ${code}`);
  }
  throw new Error('nothing was refused');
}

describe('parseFilter', () => {
  it('takes everything without parts', () => {
    expect(parseFilter({}, rules)).toEqual({});
    expect(parseFilter({ user_id: null, event_type: [], currency: undefined }, rules)).toEqual({});
  });

  it('takes one value or several, each once', () => {
    expect(
      parseFilter({ user_id: ['b', 'a', 'b'], event_type: 'refund', currency: 'EUR' }, rules),
    ).toEqual({ userIds: ['b', 'a'], eventTypes: ['refund'], currency: 'EUR' });
  });

  it.each([
    [{ user_id: '' }, '/user_id empty'],
    [{ user_id: 5 }, '/user_id expected_string'],
    [{ user_id: ['a', ['b']] }, '/user_id expected_string'],
    [{ user_id: 'a\u0000' }, '/user_id control_character'],
    [
      { user_id: Array.from({ length: 101 }, (_, index) => `u${index}`) },
      '/user_id too_many_values',
    ],
    [{ event_type: 'Purchase' }, '/event_type event_type_unknown'],
    [{ event_type: ['purchase', ''] }, '/event_type empty'],
    [{ currency: 'eur' }, '/currency currency_unknown'],
    [{ currency: '' }, '/currency empty'],
    [{ currency: ['EUR', 'USD'] }, '/currency expected_string'],
  ])('refuses %.60j', (request, fault) => {
    expect(faultsOf(() => parseFilter(request, rules))).toEqual([fault]);
  });

  it('lists every fault', () => {
    const request = { user_id: '', event_type: ['x', 'purchase', 'y'], currency: 'EU' };
    expect(faultsOf(() => parseFilter(request, rules))).toHaveLength(4);
  });
});

describe('parseWindow', () => {
  const at = (text: string) => Date.parse(text);

  it('is the last minute when nothing is said, this millisecond in it', () => {
    expect(parseWindow({}, now)).toEqual({
      from: now + 1 - 60_000,
      to: now + 1,
      timeWindow: 'last_1_minutes',
      minutes: 1,
    });
  });

  it.each([5, '5'])('is the last minutes for %j', (minutes) => {
    expect(parseWindow({ minutes, from: null, to: undefined }, now)).toEqual({
      from: now + 1 - 300_000,
      to: now + 1,
      timeWindow: 'last_5_minutes',
      minutes: 5,
    });
  });

  it('is what from and to say', () => {
    const request = { from: '2026-06-30T10:00:00+02:00', to: '2026-06-30T09:00:00Z' };
    expect(parseWindow(request, now)).toEqual({
      from: at('2026-06-30T08:00:00Z'),
      to: at('2026-06-30T09:00:00Z'),
      timeWindow: 'custom',
    });
  });

  it('ends now when only from is given', () => {
    expect(parseWindow({ from: '2026-06-30T10:00:00Z' }, now).to).toBe(now + 1);
    expect(parseWindow({ from: '2026-06-30T12:00:00.123Z' }, now).to).toBe(now + 1);
  });

  it.each([
    [{ minutes: 0 }, '/minutes expected_integer'],
    [{ minutes: -5 }, '/minutes expected_integer'],
    [{ minutes: 525_601 }, '/minutes expected_integer'],
    [{ minutes: 1e9 }, '/minutes expected_integer'],
    [{ minutes: 1.5 }, '/minutes expected_integer'],
    [{ minutes: '' }, '/minutes expected_integer'],
    [{ minutes: '1e1' }, '/minutes expected_integer'],
    [{ minutes: ['1', '2'] }, '/minutes expected_integer'],
    [{ minutes: 5, from: '2026-06-30T10:00:00Z' }, '/minutes window_conflict'],
    [{ minutes: 5, to: '2026-06-30T10:00:00Z' }, '/minutes window_conflict'],
    [{ to: '2026-06-30T10:00:00Z' }, '/from required'],
    [{ from: '2026-06-30T10:00:00Z', to: '2026-06-30T10:00:00Z' }, '/from window_order'],
    [{ from: '2026-06-30T10:00:01Z', to: '2026-06-30T10:00:00Z' }, '/from window_order'],
    [{ from: '2026-06-30T12:00:00.124Z' }, '/from window_order'],
    [{ from: '2026-06-30T10:00:00' }, '/from offset_required'],
    [{ from: 1751277600 }, '/from expected_string'],
    [{ from: '' }, '/from empty'],
  ])('refuses %j', (request, fault) => {
    expect(faultsOf(() => parseWindow(request, now))).toEqual([fault]);
  });
});

describe('parseListWindow', () => {
  it('takes either end, both or none', () => {
    const from = '2026-06-30T10:00:00Z';
    expect(parseListWindow({})).toEqual({});
    expect(parseListWindow({ from })).toEqual({ from: Date.parse(from) });
    expect(parseListWindow({ to: from })).toEqual({ to: Date.parse(from) });
    expect(faultsOf(() => parseListWindow({ from, to: from }))).toEqual(['/from window_order']);
  });
});

describe('parseLimit', () => {
  it.each([
    [undefined, 100],
    [null, 100],
    [1, 1],
    ['1000', 1000],
    ['010', 10],
  ])('takes %j', (value, limit) => {
    expect(parseLimit(value, 100, 1000)).toBe(limit);
  });

  it.each([
    0,
    -1,
    1.5,
    1e9,
    1001,
    Number.NaN,
    '0',
    '1.0',
    ' 1',
    '+1',
    '1001',
    '9'.repeat(400),
    '',
    true,
    [],
    {},
    parseJson('1e400'),
  ])('refuses %j, never clamps it', (value) => {
    expect(faultsOf(() => parseLimit(value, 100, 1000, 'first'))).toEqual([
      '/first expected_integer',
    ]);
  });
});

describe('parseOrder, parseStep and parseGroupBy', () => {
  it('have defaults', () => {
    expect(parseOrder(undefined)).toBe('desc');
    expect(parseStep(null)).toEqual({ step: '1m', stepMs: 60_000 });
    expect(parseGroupBy(undefined)).toBeUndefined();
  });

  it('take the words of the contract', () => {
    expect(parseOrder('asc')).toBe('asc');
    expect(['1m', '5m', '15m', '1h', '1d'].map((step) => parseStep(step).stepMs)).toEqual([
      60_000, 300_000, 900_000, 3_600_000, 86_400_000,
    ]);
    expect(parseGroupBy('event_type')).toBe('event_type');
  });

  it('refuse others', () => {
    expect(faultsOf(() => parseOrder('DESC'))).toEqual(['/order unknown_choice']);
    expect(faultsOf(() => parseStep('2m'))).toEqual(['/step unknown_choice']);
    expect(faultsOf(() => parseStep(60))).toEqual(['/step unknown_choice']);
    expect(faultsOf(() => parseGroupBy('user_id'))).toEqual(['/group_by unknown_choice']);
  });
});

describe('a list cursor', () => {
  it('gives back its place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (listKey) => {
        expect(decodeListCursor(encodeListCursor(listKey))).toBe(listKey);
      }),
    );
    expect(decodeListCursor(undefined)).toBeUndefined();
  });

  it('is refused when one character differs', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1 }),
        (key, seed, other) => {
          const cursor = encodeListCursor(key);
          const at = seed % cursor.length;
          const changed = cursor.slice(0, at) + other + cursor.slice(at + 1);
          if (changed === cursor) return;
          expect(faultsOf(() => decodeListCursor(changed))).toEqual(['/cursor invalid_cursor']);
        },
      ),
    );
  });

  it.each([
    '',
    'x',
    '~',
    '~.',
    5,
    {},
    ['a'],
    `${encodeListCursor('a')}=`,
    `${encodeListCursor('a')}.x`,
  ])('is not %j', (cursor) => {
    expect(faultsOf(() => decodeListCursor(cursor))).toEqual(['/cursor invalid_cursor']);
  });

  it('is not a position, and says where those go', () => {
    expect(() => decodeListCursor('0-17', (text) => text === '0-17')).toThrow(
      'positions go to /events/stream',
    );
  });
});
