import type { Instant } from '../base/clock.ts';
import { invalid } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { EventRules } from './event.ts';
import { expectedString, type Fault, Faults, shown } from './faults.ts';
import { currencyFault, eventTypeFault, userIdFault } from './field-rules.ts';
import type { Filter } from './filter.ts';
import type { FilterRequest, WindowRequest } from './requests.ts';
import { parseTimestamp } from './timestamp.ts';

/**
 * The one validation of reads. Null and undefined mean absent, numbers are
 * integers or decimal text (a query string has only text), nothing is clamped
 * or guessed. Each function throws `invalid`, listing every fault it found.
 */
export function parseFilter(request: FilterRequest, rules: Pick<EventRules, 'eventTypes'>): Filter {
  const faults = new Faults();
  const userIds = parseTexts('user_id', request.user_id, faults, userIdFault);
  const types = parseTexts('event_type', request.event_type, faults, (text) =>
    eventTypeFault(text, rules.eventTypes),
  );
  const currency = parseCurrency(request.currency, faults);
  faults.check();
  return {
    ...(userIds === undefined ? {} : { userIds }),
    ...(types === undefined ? {} : { eventTypes: types }),
    ...(currency === undefined ? {} : { currency }),
  };
}

/** The window `[from, to)` of totals. */
export interface TotalsWindow {
  readonly from: Instant;
  readonly to: Instant;
  /** `last_N_minutes`, else `custom`. */
  readonly timeWindow: string;
  /** When the window is the last so many minutes. */
  readonly minutes?: number;
}

/** The last `minutes` (1 when nothing is said), or `from` to `to`, where `to` alone is refused. */
export function parseWindow(request: WindowRequest, now: Instant): TotalsWindow {
  const faults = new Faults();
  const minutes = parseInteger('minutes', request.minutes, limits.windowMinutesMax, faults);
  const from = parseTime('from', request.from, faults);
  const to = parseTime('to', request.to, faults);
  if (!isAbsent(request.minutes) && !(isAbsent(request.from) && isAbsent(request.to))) {
    const detail = 'minutes stands alone: send either minutes, or from and to';
    faults.add('/minutes', { code: 'window_conflict', detail });
  } else if (isAbsent(request.from) && !isAbsent(request.to)) {
    faults.add('/from', { code: 'required', detail: 'from is required beside to' });
  }
  // Windows end before `to`, and an event of this very millisecond belongs in.
  const end = to ?? now + 1;
  if (from !== undefined) checkOrder(from, end, faults);
  faults.check();
  if (from !== undefined) return { from, to: end, timeWindow: 'custom' };
  const length = minutes ?? 1;
  return {
    from: end - length * MINUTE,
    to: end,
    timeWindow: `last_${length}_minutes`,
    minutes: length,
  };
}

/** The window of a listing: both ends are optional. */
export function parseListWindow(request: { readonly from?: unknown; readonly to?: unknown }): {
  readonly from?: Instant;
  readonly to?: Instant;
} {
  const faults = new Faults();
  const from = parseTime('from', request.from, faults);
  const to = parseTime('to', request.to, faults);
  if (from !== undefined && to !== undefined) checkOrder(from, to, faults);
  faults.check();
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** How many, 1 to `max`; `fallback` when absent. `name` is the parameter as the caller knows it. */
export function parseLimit(
  value: unknown,
  fallback: number = limits.pageEventsDefault,
  max: number = limits.pageEvents,
  name = 'limit',
): number {
  const faults = new Faults();
  const limit = parseInteger(name, value, max, faults);
  faults.check();
  return limit ?? fallback;
}

export function parseOrder(value: unknown): 'desc' | 'asc' {
  return parseChoice('order', value, ['desc', 'asc'], 'desc');
}

export type Step = keyof typeof stepLengths;

/** The width of a bucket by its name and in milliseconds; a minute when absent. */
export function parseStep(value: unknown): { readonly step: Step; readonly stepMs: number } {
  const step = parseChoice('step', value, stepNames, '1m');
  return { step, stepMs: stepLengths[step] };
}

export function parseGroupBy(value: unknown): 'event_type' | undefined {
  return isAbsent(value) ? undefined : parseChoice('group_by', value, ['event_type'], 'event_type');
}

const MINUTE = 60_000;

const stepLengths = {
  '1m': MINUTE,
  '5m': 5 * MINUTE,
  '15m': 15 * MINUTE,
  '1h': 60 * MINUTE,
  '1d': 24 * 60 * MINUTE,
} as const;
const stepNames = Object.keys(stepLengths) as Step[];

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** An integer from 1 to `max`, or undefined when absent or refused. */
function parseInteger(
  name: string,
  value: unknown,
  max: number,
  faults: Faults,
): number | undefined {
  if (isAbsent(value)) return undefined;
  const isText = typeof value === 'string' && integerText.test(value);
  const number = isText ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= max) {
    return number;
  }
  const found =
    typeof value === 'string' ? shown(value) : typeof value === 'number' ? value : 'that';
  const detail = `${name} must be a whole number from 1 to ${max}, not ${found}`;
  faults.add(`/${name}`, { code: 'expected_integer', detail });
  return undefined;
}

const integerText = /^[0-9]{1,15}$/;

function parseTime(name: string, value: unknown, faults: Faults): Instant | undefined {
  if (isAbsent(value)) return undefined;
  const time =
    typeof value === 'string' ? parseTimestamp(value, name) : expectedString(name, value);
  if (typeof time === 'number') return time;
  faults.add(`/${name}`, time);
  return undefined;
}

function checkOrder(from: Instant, to: Instant, faults: Faults): void {
  if (from < to) return;
  const detail = 'from must lie before to: windows hold from, but not to';
  faults.add('/from', { code: 'window_order', detail });
}

function parseChoice<const Choice extends string>(
  name: string,
  value: unknown,
  choices: readonly Choice[],
  fallback: Choice,
): Choice {
  if (isAbsent(value)) return fallback;
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  const found = typeof value === 'string' ? `, not ${shown(value)}` : '';
  throw invalid(`/${name}`, 'unknown_choice', `${name} must be ${choices.join(', ')}${found}`);
}

/** One text or a list of alternatives, without repetitions; an empty list is absent. */
function parseTexts(
  name: string,
  value: unknown,
  faults: Faults,
  faultOf: (text: string) => Fault | undefined,
): readonly string[] | undefined {
  if (isAbsent(value)) return undefined;
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.length > limits.filterValues) {
    const detail = `${name} has ${values.length} values, at most ${limits.filterValues}`;
    faults.add(`/${name}`, { code: 'too_many_values', detail });
    return undefined;
  }
  const texts = new Set<string>();
  for (const text of values) {
    const fault = typeof text === 'string' ? faultOf(text) : expectedString(name, text);
    if (fault !== undefined) faults.add(`/${name}`, fault);
    if (typeof text === 'string') texts.add(text);
  }
  return texts.size === 0 ? undefined : Array.from(texts);
}

function parseCurrency(value: unknown, faults: Faults): string | undefined {
  if (isAbsent(value)) return undefined;
  const fault =
    typeof value === 'string' ? currencyFault(value) : expectedString('currency', value);
  if (fault !== undefined) faults.add('/currency', fault);
  return typeof value === 'string' ? value : undefined;
}
