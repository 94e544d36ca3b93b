import { limits } from '../../../base/limits.ts';
import { atLeastText, currencyText, eventTypeText, userIdText } from './arguments.ts';
import { builder } from './builder.ts';
import { inGraphqlTerms } from './graphql-terms.ts';
import { aggregatedMetricsType, metricsSeriesType } from './metrics-types.ts';

const minutesText = `The last so many minutes, 1 to ${limits.windowMinutesMax}, exact to the millisecond. Without \`minutes\` and \`from\` it is 1.`;
const fromText =
  'Where the window begins: RFC 3339 with an offset, such as `2026-06-30T10:00:00Z`. Not together with `minutes`.';
const toText = 'Where the window ends, itself outside; now when absent. Only together with `from`.';

builder.queryFields((t) => ({
  aggregatedMetrics: t.field({
    type: aggregatedMetricsType,
    description:
      "Exact totals of one window `[from, to)` on the events' own `timestamp`: the last so many `minutes`, or `from` to `to`. Where retention has removed events, a window that begins or ends inside their minute, or asks for a user over it, is refused with the fault `frozen_minute`, which names the next whole minute.",
    args: {
      minutes: t.arg.int({ description: minutesText }),
      from: t.arg.string({ description: fromText }),
      to: t.arg.string({ description: toText }),
      currency: t.arg.string({ description: currencyText }),
      eventType: t.arg.stringList({ description: eventTypeText }),
      userId: t.arg.stringList({ description: userIdText }),
      atLeast: t.arg.string({ description: atLeastText }),
    },
    resolve: (_, { eventType, userId, atLeast, ...window }, { hub, caller }) =>
      inGraphqlTerms({}, () =>
        hub.aggregate(caller, {
          ...window,
          event_type: eventType,
          user_id: userId,
          at_least: atLeast,
        }),
      ),
  }),

  metricsSeries: t.field({
    type: metricsSeriesType,
    description: `The totals of a window in steps; at most ${limits.seriesBuckets} buckets.`,
    args: {
      minutes: t.arg.int({ description: minutesText }),
      from: t.arg.string({ description: fromText }),
      to: t.arg.string({ description: toText }),
      step: t.arg.string({
        description: 'The width of a bucket: `1m` (also when absent), `5m`, `15m`, `1h` or `1d`.',
      }),
      groupBy: t.arg.string({
        description: '`event_type` for one bucket per step and type.',
      }),
      currency: t.arg.string({ description: currencyText }),
      eventType: t.arg.stringList({ description: eventTypeText }),
      userId: t.arg.stringList({ description: userIdText }),
      atLeast: t.arg.string({ description: atLeastText }),
    },
    resolve: (_, { groupBy, eventType, userId, atLeast, ...window }, { hub, caller }) =>
      inGraphqlTerms({}, () =>
        hub.series(caller, {
          ...window,
          group_by: groupBy,
          event_type: eventType,
          user_id: userId,
          at_least: atLeast,
        }),
      ),
  }),
}));
