import type { Instant } from '../base/clock.ts';
import type { Fault } from './faults.ts';

/**
 * RFC 3339 text as an instant, or why it is refused. An offset is needed, up
 * to 9 decimals are taken and cut to the millisecond, only dates of the
 * calendar count, and `t` and `z` may be lower-case. `name` is the field, for the message.
 */
export function parseTimestamp(text: string, name = 'timestamp'): Instant | Fault {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  const isDate =
    text.charCodeAt(4) === MINUS && text.charCodeAt(7) === MINUS && year + month + day >= 0;
  const isTime =
    (text.charCodeAt(10) | LOWER_CASE) === LOWER_T &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON &&
    hour + minute + second >= 0;
  if (!isDate || !isTime) return explainForm(text, isDate, name);
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) {
    return fault(name, `names a day that is not in the calendar: ${text.slice(0, 10)}`);
  }
  if (hour > 23 || minute > 59 || second > 59) return explainClock(hour, minute, second, name);

  let at = SECONDS_END;
  let milliseconds = 0;
  if (text.charCodeAt(at) === DOT) {
    at = digitsEnd(text, at + 1);
    const decimals = at - SECONDS_END - 1;
    if (decimals === 0) return fault(name, 'has a point without decimals after it');
    if (decimals > DECIMALS_MAX) {
      return fault(name, `has ${decimals} decimals, at most ${DECIMALS_MAX}`);
    }
    milliseconds = Number(
      text.slice(SECONDS_END + 1, Math.min(at, SECONDS_END + 4)).padEnd(3, '0'),
    );
  }
  const offset = offsetMinutes(text, at);
  if (Number.isNaN(offset)) return explainOffset(text, at, name);
  const minutes = (daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute - offset;
  const instant = minutes * 60_000 + second * 1000 + milliseconds;
  if (instant < yearZero || instant >= yearTenThousand) {
    return fault(name, 'lies outside the years 0000 to 9999 in UTC');
  }
  return instant;
}

const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const LOWER_T = 0x74;
const LOWER_Z = 0x7a;
/** The bit by which ASCII letters of both cases differ. */
const LOWER_CASE = 0x20;

/** The index after `YYYY-MM-DDTHH:MM:SS`. */
const SECONDS_END = 19;
const DECIMALS_MAX = 9;
const OFFSET_HOURS_MAX = 14;

/** The number of two ASCII digits; NaN when they are not both digits. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) >= ZERO && text.charCodeAt(at) <= NINE) at += 1;
  return at;
}

/** Minutes ahead of UTC; NaN when the rest of the text is no offset within ±14:00. */
function offsetMinutes(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if ((first | LOWER_CASE) === LOWER_Z) return text.length === at + 1 ? 0 : Number.NaN;
  if (text.length !== at + 6 || text.charCodeAt(at + 3) !== COLON) return Number.NaN;
  const hours = twoDigits(text, at + 1);
  const minutes = twoDigits(text, at + 4);
  const total = hours * 60 + minutes;
  if (minutes > 59 || total > OFFSET_HOURS_MAX * 60) return Number.NaN;
  if (first === PLUS) return total;
  return first === MINUS ? -total : Number.NaN;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysOf(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * Days from 1970-01-01 in the proleptic Gregorian calendar. Years begin in
 * March here, so that the leap day is the last one of its year.
 */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const marchMonth = month > 2 ? month - 3 : month + 9;
  const leapDays =
    Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + day - 1;
  return marchYear * 365 + leapDays + dayOfYear - DAYS_TO_EPOCH;
}

/** From 0000-03-01 to 1970-01-01. */
const DAYS_TO_EPOCH = 719_468;
const yearZero = daysSinceEpoch(0, 1, 1) * 86_400_000;
const yearTenThousand = daysSinceEpoch(10_000, 1, 1) * 86_400_000;

function fault(name: string, problem: string, code = 'timestamp_format'): Fault {
  return { code, detail: `${name} ${problem}` };
}

function explainForm(text: string, isDate: boolean, name: string): Fault {
  if (text === '') return fault(name, 'is empty: leave it out, or give an RFC 3339 time', 'empty');
  if (isDate && text.length === 10) {
    return fault(name, 'is only a date: add a time and an offset, such as T10:00:00Z');
  }
  if (isDate && text.charAt(10) === ' ') return fault(name, 'has a blank where a "T" belongs');
  return fault(name, 'must be RFC 3339, such as "2026-06-30T10:00:00Z"');
}

function explainClock(hour: number, minute: number, second: number, name: string): Fault {
  if (second === 60) {
    const problem = 'has second 60: leap seconds are not kept, send second 59 instead';
    return fault(name, problem, 'leap_second_unsupported');
  }
  if (hour === 24 && minute === 0 && second === 0) {
    return fault(name, 'has hour 24: send 00:00:00 of the next day');
  }
  return fault(name, 'has a time of day beyond 23:59:59');
}

function explainOffset(text: string, at: number, name: string): Fault {
  if (at === text.length) {
    const problem = 'has no offset: add "Z" for UTC or an offset such as "+03:00"';
    return fault(name, problem, 'offset_required');
  }
  return fault(
    name,
    `has an offset that is not "Z" or within -${OFFSET_HOURS_MAX}:00 to +${OFFSET_HOURS_MAX}:00, such as "+03:00"`,
  );
}
