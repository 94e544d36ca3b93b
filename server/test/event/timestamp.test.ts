import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstant } from '../../src/base/clock.ts';
import { parseTimestamp } from '../../src/event/timestamp.ts';

const two = (number: number) => String(number).padStart(2, '0');

function faultOf(text: string) {
  const parsed = parseTimestamp(text);
  return typeof parsed === 'number' ? undefined : parsed;
}

describe('parseTimestamp', () => {
  it('reads back every time that the hub writes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(9999, 11, 31) }),
        (instant) => {
          expect(parseTimestamp(formatInstant(instant))).toBe(instant);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  it('agrees with Date.UTC on every real date, time and offset, and refuses the others', () => {
    const parts = fc.record({
      year: fc.integer({ min: 100, max: 9998 }),
      month: fc.integer({ min: 0, max: 13 }),
      day: fc.integer({ min: 0, max: 32 }),
      hour: fc.integer({ min: 0, max: 24 }),
      minute: fc.integer({ min: 0, max: 60 }),
      second: fc.integer({ min: 0, max: 61 }),
      offset: fc.integer({ min: -14 * 60, max: 14 * 60 }),
      fraction: fc.stringMatching(/^(\.[0-9]{1,9})?$/),
    });
    fc.assert(
      fc.property(parts, ({ year, month, day, hour, minute, second, offset, fraction }) => {
        const ms = Number(fraction.slice(1, 4).padEnd(3, '0'));
        const local = Date.UTC(year, month - 1, day, hour, minute, second, ms);
        const date = new Date(local);
        const isReal =
          date.getUTCMonth() === month - 1 &&
          date.getUTCDate() === day &&
          date.getUTCHours() === hour &&
          date.getUTCMinutes() === minute &&
          date.getUTCSeconds() === second;
        const sign = offset < 0 ? '-' : '+';
        const zone = `${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
        const text = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}${fraction}${zone}`;
        const parsed = parseTimestamp(text);
        if (isReal) expect(parsed).toBe(local - offset * 60_000);
        else expect(parsed).toHaveProperty('code');
      }),
      { numRuns: 10_000 },
    );
  });

  it.each([
    ['2026-06-30T10:00:00Z', Date.UTC(2026, 5, 30, 10)],
    ['2026-06-30t10:00:00z', Date.UTC(2026, 5, 30, 10)],
    ['2026-06-30T10:00:00+02:00', Date.UTC(2026, 5, 30, 8)],
    ['2026-06-30T10:00:00-00:00', Date.UTC(2026, 5, 30, 10)],
    ['2026-06-30T10:00:00+14:00', Date.UTC(2026, 5, 29, 20)],
    ['2026-06-30T10:00:00.1Z', Date.UTC(2026, 5, 30, 10, 0, 0, 100)],
    ['2026-06-30T23:59:59.999999999Z', Date.UTC(2026, 5, 30, 23, 59, 59, 999)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
    ['0000-01-01T00:00:00Z', -62167219200000],
  ])('takes %s', (text, instant) => {
    expect(parseTimestamp(text)).toBe(instant);
  });

  it.each([
    ['2026-06-30T10:00:00', 'offset_required'],
    ['2026-06-30T10:00:00.123', 'offset_required'],
    ['2026-06-30', 'timestamp_format'],
    ['2026-06-30T10:00:00+0530', 'timestamp_format'],
    ['2026-06-30T10:00:00+05', 'timestamp_format'],
    ['2026-06-30T10:00:00+24:00', 'timestamp_format'],
    ['2026-06-30T10:00:00+14:01', 'timestamp_format'],
    ['2026-06-30T10:00:00-14:30', 'timestamp_format'],
    ['2026-06-30T10:00:00+13:60', 'timestamp_format'],
    ['2026-06-30T10:00:00ZZ', 'timestamp_format'],
    ['2026-06-30T10:00:00*03:00', 'timestamp_format'],
    ['2026-06-30 10:00:00Z', 'timestamp_format'],
    [' 2026-06-30T10:00:00Z', 'timestamp_format'],
    ['2026-06-30T10:00:00Z ', 'timestamp_format'],
    ['2026-06-30T23:59:60Z', 'leap_second_unsupported'],
    ['2026-06-30T24:00:00Z', 'timestamp_format'],
    ['2026-06-30T10:60:00Z', 'timestamp_format'],
    ['2026-02-30T10:00:00Z', 'timestamp_format'],
    ['2026-02-29T10:00:00Z', 'timestamp_format'],
    ['1900-02-29T10:00:00Z', 'timestamp_format'],
    ['2026-04-31T10:00:00Z', 'timestamp_format'],
    ['2026-13-01T10:00:00Z', 'timestamp_format'],
    ['2026-01-00T10:00:00Z', 'timestamp_format'],
    ['0000-01-01T00:00:00+01:00', 'timestamp_format'],
    ['9999-12-31T23:59:59-01:00', 'timestamp_format'],
    ['-000001-01-01T00:00:00Z', 'timestamp_format'],
    ['+010000-01-01T00:00:00Z', 'timestamp_format'],
    ['10000-01-01T00:00:00Z', 'timestamp_format'],
    ['2026-06-30T10:00:00.Z', 'timestamp_format'],
    ['2026-06-30T10:00:00.1234567890Z', 'timestamp_format'],
    ['2026-06-30T10:00:00,5Z', 'timestamp_format'],
    ['2026-06-30T10:00Z', 'timestamp_format'],
    ['２026-06-30T10:00:00Z', 'timestamp_format'],
    ['1751277600', 'timestamp_format'],
    ['1', 'timestamp_format'],
    ['June 30 2026', 'timestamp_format'],
    ['', 'empty'],
  ])('refuses %s with %s', (text, code) => {
    expect(faultOf(text)?.code).toBe(code);
  });

  it('refuses whatever text is no time', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (text) => {
        expect(faultOf(text)?.code).toMatch(/^(timestamp_format|empty)$/);
      }),
    );
  });

  it('teaches, under the name of the field', () => {
    expect(faultOf('2026-06-30T10:00:00')?.detail).toBe(
      'timestamp has no offset: add "Z" for UTC or an offset such as "+03:00"',
    );
    expect(parseTimestamp('2026-06-30', 'from')).toMatchObject({
      detail: expect.stringMatching(/^from is only a date/),
    });
  });
});

describe('formatInstant', () => {
  it('writes what toISOString writes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(1, 0, 1), max: Date.UTC(9999, 11, 31) }),
        (instant) => {
          expect(formatInstant(instant)).toBe(new Date(instant).toISOString());
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
