import { formatInstant, type Instant } from '../../../base/clock.ts';
import { HubError } from '../../../base/errors.ts';
import { amountToNumber, formatAmount } from '../../../event/money.ts';
import type {
  CurrencyTotals,
  Position,
  Series,
  SeriesBucket,
  Totals,
  TypeTotals,
} from '../../../hub.ts';
import { builder } from './builder.ts';

const totalText = 'the plain sum over all types';
const netText = 'the sum in which the signs of the types add and take away';
const doubleText = 'as the nearest double';
const exactText = 'as an exact decimal, such as `"150.75"`';
const mixedText = 'Null when the window mixes currencies and none is asked for: see `byCurrency`.';
const countText =
  "How many events. GraphQL's `Int` ends at 2147483647: beyond it this field fails, and `eventCountExact` has the number.";
const exactCountText = 'How many events, as text that has no upper end.';

const byType = builder.objectRef<TypeTotals>('TypeTotals').implement({
  description: 'What the events of one type and currency add up to.',
  fields: (t) => ({
    eventType: t.string({ description: 'The type.', resolve: (each) => each.eventType }),
    sign: t.string({
      description:
        'How the type enters net totals by the configuration: `"+"` adds, `"-"` takes away, `""` is left out.',
      resolve: (each) => each.sign,
    }),
    currency: t.string({
      description: 'The currency of the amounts beside it.',
      resolve: (each) => each.currency,
    }),
    eventCount: t.int({ description: countText, resolve: (each) => intCount(each.eventCount) }),
    eventCountExact: t.string({
      description: exactCountText,
      resolve: (each) => String(each.eventCount),
    }),
    totalAmount: t.float({
      description: `The sum ${doubleText}.`,
      resolve: (each) => amountToNumber(each.total),
    }),
    totalAmountExact: t.string({
      description: `The sum ${exactText}.`,
      resolve: (each) => formatAmount(each.total),
    }),
  }),
});

const byCurrency = builder.objectRef<CurrencyTotals>('CurrencyTotals').implement({
  description: 'What the events of one currency add up to.',
  fields: (t) => ({
    currency: t.string({ description: 'The currency.', resolve: (each) => each.currency }),
    eventCount: t.int({ description: countText, resolve: (each) => intCount(each.eventCount) }),
    eventCountExact: t.string({
      description: exactCountText,
      resolve: (each) => String(each.eventCount),
    }),
    totalAmount: t.float({
      description: `Of this currency ${totalText}, ${doubleText}.`,
      resolve: (each) => amountToNumber(each.total),
    }),
    totalAmountExact: t.string({
      description: `Of this currency ${totalText}, ${exactText}.`,
      resolve: (each) => formatAmount(each.total),
    }),
    netAmount: t.float({
      description: `Of this currency ${netText}, ${doubleText}.`,
      resolve: (each) => amountToNumber(each.net),
    }),
    netAmountExact: t.string({
      description: `Of this currency ${netText}, ${exactText}.`,
      resolve: (each) => formatAmount(each.net),
    }),
  }),
});

const asOf = builder
  .objectRef<{ readonly position: Position; readonly receivedAt: Instant }>('AsOf')
  .implement({
    description: 'How far the totals have come: the newest event counted in the whole hub.',
    fields: (t) => ({
      position: t.string({
        description: 'The place of that event in the log.',
        resolve: (each) => each.position,
      }),
      receivedAt: t.string({
        description: 'When the hub took that event: UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`.',
        resolve: (each) => formatInstant(each.receivedAt),
      }),
    }),
  });

const totals = builder.interfaceRef<Totals>('MetricsTotals').implement({
  description:
    "Exact totals of the events whose own `timestamp` lies in the window `[from, to)`. Amounts of different currencies are never added: the window's own amounts are null when it mixes currencies and none is asked for, `byCurrency` always has each. An empty window has the count 0 and the amounts 0.",
  fields: (t) => ({
    totalAmount: t.float({
      nullable: true,
      description: `Of the window ${totalText}, ${doubleText}. ${mixedText}`,
      resolve: ({ total }) => (total === undefined ? null : amountToNumber(total)),
    }),
    totalAmountExact: t.string({
      nullable: true,
      description: `Of the window ${totalText}, ${exactText}. ${mixedText}`,
      resolve: ({ total }) => (total === undefined ? null : formatAmount(total)),
    }),
    netAmount: t.float({
      nullable: true,
      description: `Of the window ${netText}, ${doubleText}. ${mixedText}`,
      resolve: ({ net }) => (net === undefined ? null : amountToNumber(net)),
    }),
    netAmountExact: t.string({
      nullable: true,
      description: `Of the window ${netText}, ${exactText}. ${mixedText}`,
      resolve: ({ net }) => (net === undefined ? null : formatAmount(net)),
    }),
    eventCount: t.int({ description: countText, resolve: (each) => intCount(each.eventCount) }),
    eventCountExact: t.string({
      description: exactCountText,
      resolve: (each) => String(each.eventCount),
    }),
    timeWindow: t.string({
      description: '`last_N_minutes` for a window of minutes, else `custom`.',
      resolve: (each) => each.timeWindow,
    }),
    currency: t.string({
      nullable: true,
      description:
        'The currency asked for, or the only one in the window; null when it holds several or none.',
      resolve: (each) => each.currency ?? null,
    }),
    from: t.string({
      description: 'Where the window begins: UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`.',
      resolve: (each) => formatInstant(each.from),
    }),
    to: t.string({
      description: 'Where the window ends; this moment itself is outside.',
      resolve: (each) => formatInstant(each.to),
    }),
    byType: t.field({
      type: [byType],
      description: 'By type and currency, sorted; only what is present.',
      resolve: (each) => each.byType,
    }),
    byCurrency: t.field({
      type: [byCurrency],
      description: 'By currency, sorted; only what is present.',
      resolve: (each) => each.byCurrency,
    }),
    asOf: t.field({
      type: asOf,
      nullable: true,
      description:
        'How far the totals have come; null before the first event. So an empty window is told from one that is not counted yet.',
      resolve: (each) => each.asOf ?? null,
    }),
  }),
});

export const aggregatedMetricsType = builder.objectRef<Totals>('AggregatedMetrics').implement({
  description: 'Exact totals of one window.',
  interfaces: [totals],
});

const bucketType = builder.objectRef<SeriesBucket>('MetricsBucket').implement({
  description: 'Exact totals of one step of a series, cut to the window.',
  interfaces: [totals],
  fields: (t) => ({
    eventType: t.string({
      nullable: true,
      description: 'The type that this bucket is about, when the series is grouped by type.',
      resolve: (each) => each.eventType ?? null,
    }),
  }),
});

export const metricsSeriesType = builder.objectRef<Series>('MetricsSeries').implement({
  description: 'Totals of a window in steps.',
  fields: (t) => ({
    step: t.string({
      description: 'The width of a bucket: `1m`, `5m`, `15m`, `1h` or `1d`.',
      resolve: (each) => each.step,
    }),
    buckets: t.field({
      type: [bucketType],
      description:
        'In order of time, on UTC multiples of the step, the first and the last cut to the window, empty ones included. Grouped by type: one bucket for each type present.',
      resolve: (each) => each.buckets,
    }),
  }),
});

/** GraphQL has no larger integer; a count that does not fit is refused, never changed. */
function intCount(count: number): number {
  if (count <= INT_MAX) return count;
  const detail = `eventCount is ${count}, beyond GraphQL's Int: ask for eventCountExact`;
  throw new HubError('invalid', detail);
}

const INT_MAX = 2_147_483_647;
