import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstant } from '../../src/base/clock.ts';
import { minuteMs, minuteOf } from '../../src/event/minute.ts';
import { adjacentStretches } from '../../src/store/compare-counts.ts';
import { frozenMinute, neededEvents } from '../../src/store/frozen-minutes.ts';

const noon = Date.UTC(2026, 5, 30, 12);

describe('neededEvents', () => {
  it('are none where whole minutes are asked for, of any types and currency', () => {
    const window = { from: noon, to: noon + 5 * minuteMs };
    expect(neededEvents({ ...window, filter: {} })).toEqual([]);
    const filter = { eventTypes: ['refund'], currency: 'EUR' };
    expect(neededEvents({ ...window, filter, stepMs: minuteMs })).toEqual([]);
  });

  it('are those of the minute of each edge inside one', () => {
    const needed = neededEvents({ from: noon + 1, to: noon + 5 * minuteMs - 1, filter: {} });
    expect(needed).toMatchObject([
      { pointer: '/from', from: noon, to: noon + minuteMs },
      { pointer: '/to', from: noon + 4 * minuteMs, to: noon + 5 * minuteMs },
    ]);
  });

  it('are those of every minute that the window touches, for a user', () => {
    const filter = { userIds: ['u1'] };
    const whole = neededEvents({ from: noon, to: noon + 2 * minuteMs, filter });
    expect(whole).toMatchObject([{ pointer: '/from', from: noon, to: noon + 2 * minuteMs }]);
    const touched = neededEvents({ from: noon + 1, to: noon + 2 * minuteMs + 1, filter });
    expect(touched).toMatchObject([{ from: noon, to: noon + 3 * minuteMs }]);
  });

  it('hold each event of the window whose minute is not whole in it, and no other minute without a user', () => {
    const query = fc.record({
      from: fc.integer({ min: 0, max: 4 * minuteMs }).map((ms) => noon + ms),
      ms: fc.integer({ min: 1, max: 4 * minuteMs }),
      isByUser: fc.boolean(),
    });
    fc.assert(
      fc.property(query, fc.integer({ min: 0, max: 8 * minuteMs }), (asked, at) => {
        const { from, to } = { from: asked.from, to: asked.from + asked.ms };
        const filter = asked.isByUser ? { userIds: ['u1'] } : {};
        const minute = minuteOf(noon + at);
        const isTouched = minute < to && minute + minuteMs > from;
        const isWhole = minute >= from && minute + minuteMs <= to;
        const isNeeded = neededEvents({ from, to, filter }).some(
          (part) => minute >= part.from && minute < part.to,
        );
        expect(isNeeded).toBe(isTouched && (asked.isByUser || !isWhole));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('frozenMinute', () => {
  it('is invalid, naming the edge and the next whole minute', () => {
    const [edge] = neededEvents({ from: noon, to: noon + minuteMs + 1, filter: {} });
    if (edge === undefined) throw new Error('the edge lies inside a minute');
    const fault = frozenMinute(edge, noon + minuteMs);
    const next = formatInstant(noon + 2 * minuteMs);
    expect(fault).toMatchObject({
      code: 'invalid',
      details: [{ pointer: '/to', code: 'frozen_minute', detail: expect.stringContaining(next) }],
    });
  });
});

describe('adjacentStretches', () => {
  it('hold exactly the given minutes, in as few stretches as there are gaps and one', () => {
    const minutes = fc.uniqueArray(fc.nat(200), { minLength: 1 });
    fc.assert(
      fc.property(minutes, (found) => {
        const ascending = found.toSorted((a, b) => a - b).map((at) => noon + at * minuteMs);
        const stretches = adjacentStretches(ascending);
        const held = stretches.flatMap(({ from, to }) =>
          Array.from({ length: (to - from) / minuteMs }, (_, at) => from + at * minuteMs),
        );
        expect(held).toEqual(ascending);
        const gaps = ascending.filter(
          (minute, at) => at > 0 && minute - minuteMs !== ascending[at - 1],
        );
        expect(stretches).toHaveLength(gaps.length + 1);
      }),
    );
  });
});
