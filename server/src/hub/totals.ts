import type { Instant } from '../base/clock.ts';
import { invalid } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Sign } from '../event/event.ts';
import type { CurrencyTotals, Series, SeriesBucket, Totals, TypeTotals } from '../hub.ts';
import type { Aggregates, Bucket } from '../store/event-store.ts';

export interface TotalsWindow {
  readonly from: Instant;
  readonly to: Instant;
  readonly timeWindow: string;
  /** The currency that was asked for. */
  readonly currency: string | undefined;
}

/** Adds buckets up. Amounts of different currencies are never added; signs are applied here, on reading. */
export function totalsOf(
  window: TotalsWindow,
  buckets: readonly Bucket[],
  asOf: Aggregates['asOf'],
  signs: ReadonlyMap<string, Sign>,
): Totals {
  const byType = typeTotals(buckets, signs);
  const byCurrency = currencyTotals(byType);
  const mixed = byCurrency.length > 1;
  const only = byCurrency[0];
  return {
    from: window.from,
    to: window.to,
    timeWindow: window.timeWindow,
    currency: window.currency ?? (mixed ? undefined : only?.currency),
    eventCount: byCurrency.reduce((sum, { eventCount }) => sum + eventCount, 0),
    total: mixed ? undefined : (only?.total ?? 0n),
    net: mixed ? undefined : (only?.net ?? 0n),
    byType,
    byCurrency,
    asOf,
  };
}

export interface SeriesOptions {
  readonly window: TotalsWindow;
  readonly step: string;
  readonly stepMs: number;
  readonly byEventType: boolean;
}

/** Cuts the window into steps on UTC multiples; the first and the last are cut to the window. */
export function seriesOf(
  options: SeriesOptions,
  { buckets, asOf }: Aggregates,
  signs: ReadonlyMap<string, Sign>,
): Series {
  const { window, stepMs, byEventType } = options;
  const byStart = Map.groupBy(buckets, (bucket) => bucket.start);
  const series: SeriesBucket[] = [];
  for (let start = floorTo(window.from, stepMs); start < window.to; start += stepMs) {
    const part: TotalsWindow = {
      from: Math.max(start, window.from),
      to: Math.min(start + stepMs, window.to),
      timeWindow: 'custom',
      currency: window.currency,
    };
    const present = byStart.get(start) ?? [];
    if (!byEventType) {
      series.push({ ...totalsOf(part, present, asOf, signs), eventType: undefined });
      continue;
    }
    for (const [eventType, group] of Map.groupBy(present, (bucket) => bucket.eventType)) {
      series.push({ ...totalsOf(part, group, asOf, signs), eventType });
    }
  }
  return { step: options.step, buckets: series };
}

/** Rejects a series of more buckets than a hub gives. */
export function assertSeriesLength(from: Instant, to: Instant, stepMs: number): void {
  const buckets = Math.ceil((to - floorTo(from, stepMs)) / stepMs);
  if (buckets <= limits.seriesBuckets) return;
  throw invalid(
    '/step',
    'too_many_buckets',
    `this window has ${buckets} steps, at most ${limits.seriesBuckets}: take a longer step or a shorter window`,
  );
}

function typeTotals(
  buckets: readonly Bucket[],
  signs: ReadonlyMap<string, Sign>,
): readonly TypeTotals[] {
  const totals = new Map<string, TypeTotals>();
  for (const { eventType, currency, eventCount, total } of buckets) {
    const key = `${eventType} ${currency}`;
    const known = totals.get(key);
    totals.set(key, {
      eventType,
      sign: signs.get(eventType) ?? '',
      currency,
      eventCount: eventCount + (known?.eventCount ?? 0),
      total: total + (known?.total ?? 0n),
    });
  }
  return [...totals.values()].sort(
    (a, b) => compare(a.eventType, b.eventType) || compare(a.currency, b.currency),
  );
}

function currencyTotals(byType: readonly TypeTotals[]): readonly CurrencyTotals[] {
  const totals = new Map<string, CurrencyTotals>();
  for (const { currency, sign, eventCount, total } of byType) {
    const known = totals.get(currency);
    const signed = sign === '+' ? total : sign === '-' ? -total : 0n;
    totals.set(currency, {
      currency,
      eventCount: eventCount + (known?.eventCount ?? 0),
      total: total + (known?.total ?? 0n),
      net: signed + (known?.net ?? 0n),
    });
  }
  return [...totals.values()].sort((a, b) => compare(a.currency, b.currency));
}

function floorTo(instant: Instant, stepMs: number): Instant {
  return Math.floor(instant / stepMs) * stepMs;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
