import { limits } from '../../../base/limits.ts';
import { always, atLeast, filterParameters, json, needs, problems, query, ref } from './parts.ts';

/** `/aggregates` and `/aggregates/series`. */
export function aggregatePaths() {
  return {
    '/aggregates': {
      get: {
        tags: ['Aggregates'],
        operationId: 'getAggregates',
        ...needs('aggregates:read'),
        summary: 'Exact totals of a window',
        description: `${windowText} Amounts of different currencies are never added: \`by_currency\` always has each.`,
        parameters: [...windowParameters(5), ...filterParameters(), atLeast()],
        responses: { ...problems(...always), 200: json('The totals.', ref('Totals')) },
      },
    },
    '/aggregates/series': {
      get: {
        tags: ['Aggregates'],
        operationId: 'getSeries',
        ...needs('aggregates:read'),
        summary: 'Exact totals by steps of time',
        description: `${windowText} Steps lie on UTC multiples, the first and the last are cut to the window; at most ${limits.seriesBuckets} buckets.`,
        parameters: [
          ...windowParameters(60),
          query('step', { ...step, default: '1m' }, 'The width of a bucket.', { example: '15m' }),
          query('group_by', { type: 'string', enum: ['event_type'] }, groupText),
          ...filterParameters(),
          atLeast(),
        ],
        responses: { ...problems(...always), 200: json('The buckets.', ref('Series')) },
      },
    },
  };
}

const windowText =
  'The window is `[from, to)` on the time when events happened, exact to the millisecond; `minutes` means the last so many, and stands alone. Without either it is the last minute. Where retention has removed events, a window that begins or ends inside their minute, or asks for a user over it, is refused with the fault `frozen_minute`, which names the next whole minute.';
const groupText = 'One bucket for each type that is there.';
const step = { type: 'string', enum: ['1m', '5m', '15m', '1h', '1d'] };

function windowParameters(minutes: number) {
  const time = { type: 'string', format: 'date-time' };
  const range = { type: 'integer', minimum: 1, maximum: limits.windowMinutesMax };
  return [
    query('minutes', range, 'The last so many minutes.', { example: minutes }),
    query('from', time, 'Start of the window. In a URL write the "+" of an offset as "%2B".'),
    query('to', time, 'End of the window, itself left out; needs `from`.'),
  ];
}
