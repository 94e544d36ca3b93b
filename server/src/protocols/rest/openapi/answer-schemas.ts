import { errorCodes } from '../../../base/errors.ts';
import { logLevels } from '../../../base/log-level.ts';
import { ref } from './parts.ts';

/** What the calls answer. */
export function answerSchemas() {
  return { ...eventAnswers, ...totalsAnswers, ...otherAnswers };
}

const level = { type: 'string', enum: [...logLevels] };
const count = { type: 'integer', minimum: 0 };
const step = { type: 'string', enum: ['1m', '5m', '15m', '1h', '1d'] };
const noSum = 'Null where the window mixes currencies and none is asked for.';
const totals = {
  from: ref('Time'),
  to: ref('Time'),
  time_window: { type: 'string', description: '`last_N_minutes`, else `custom`.' },
  currency: {
    type: ['string', 'null'],
    description:
      'The one asked for or the only one present; null when currencies mix or nothing is there.',
  },
  event_count: count,
  total_amount: { type: ['string', 'null'], description: `The plain sum over all types. ${noSum}` },
  net_amount: { type: ['string', 'null'], description: `With the signs of the types. ${noSum}` },
  by_type: list('TypeTotals', 'Sorted by type and currency; only those present.'),
  by_currency: list('CurrencyTotals', 'Sorted; only those present.'),
  as_of: {
    oneOf: [ref('AsOf'), { type: 'null' }],
    description: 'The newest event counted in the whole hub; null before the first.',
  },
};

const eventAnswers = {
  Stored: object({
    status: { type: 'string', enum: ['success', 'duplicate'] },
    id: ref('EventId'),
    position: ref('Position'),
  }),
  BatchAnswer: object({
    accepted: count,
    duplicates: count,
    rejected: count,
    results: list('BatchResult', 'One for each event, in the order of the batch.'),
  }),
  BatchResult: object(
    {
      index: count,
      status: {
        type: 'string',
        enum: ['success', 'duplicate', 'rejected', 'not_stored'],
        description:
          '`not_stored`: nothing wrong with it, but another event of the atomic batch was refused.',
      },
      id: { type: ['string', 'null'], description: 'Null where it could not be read.' },
      position: ref('Position'),
      error: ref('ItemError'),
    },
    ['position', 'error'],
  ),
  ItemError: object({
    code: ref('ErrorCode'),
    detail: { type: 'string' },
    errors: list('ErrorDetail', 'Pointers start at the event.'),
  }),
  EventPage: object({
    events: list('Event', 'Newest first unless asked otherwise.'),
    next: {
      type: ['string', 'null'],
      description: 'The cursor of the next page; null on the last.',
    },
  }),
};

const totalsAnswers = {
  Totals: object(totals),
  Bucket: object(
    {
      ...totals,
      event_type: { ...ref('EventType'), description: 'With `group_by=event_type`.' },
    },
    ['event_type'],
  ),
  TypeTotals: object({
    event_type: { type: 'string' },
    sign: {
      type: 'string',
      enum: ['+', '-', ''],
      description: 'How the type enters net totals: added, taken away, left out.',
    },
    currency: ref('Currency'),
    event_count: count,
    total_amount: ref('Amount'),
  }),
  CurrencyTotals: object({
    currency: ref('Currency'),
    event_count: count,
    total_amount: ref('Amount'),
    net_amount: ref('Amount'),
  }),
  AsOf: object({ position: ref('Position'), received_at: ref('Time') }),
  Series: object({ step, buckets: list('Bucket', 'In order of time, empty ones included.') }),
};

const otherAnswers = {
  Problem: object(
    {
      type: {
        type: 'string',
        format: 'uri-reference',
        description: 'Where the code is explained.',
      },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string', description: 'What is wrong, and what to do.' },
      code: ref('ErrorCode'),
      errors: list('ErrorDetail', 'Each fault of the input.'),
      ids: {
        type: 'array',
        items: { type: 'string' },
        description: 'Events whose outcome is unknown: a retry with the same ids is safe.',
      },
      position: { ...ref('Position'), description: 'Where a stream can be resumed.' },
      request_id: {
        type: 'string',
        description:
          'By which the request is found in the log of the hub, also in the header `X-Request-Id`: the one that it was sent with there, else the trace of its `traceparent`, else one of its own.',
      },
    },
    ['ids', 'position', 'request_id'],
  ),
  ErrorDetail: object({
    pointer: {
      type: 'string',
      description: 'A JSON pointer to the field, or `/name` of a parameter.',
    },
    code: { type: 'string' },
    detail: { type: 'string' },
  }),
  ErrorCode: { type: 'string', enum: errorCodes },
  LogLevel: object({
    level: { ...level, description: 'The least important line that is written.' },
    configured_level: { ...level, description: 'What holds after a start, and at `until`.' },
    until: {
      type: ['string', 'null'],
      format: 'date-time',
      description: 'When the configured level holds again; null where no time was said.',
    },
  }),
  LogLevelChange: {
    ...object(
      {
        level,
        for: {
          type: ['string', 'null'],
          pattern: '^[0-9]{1,9}(ms|s|m|h|d)$',
          description:
            'After so long the configured level holds again, at most 7d. Without it this one stays until the next change or start.',
        },
      },
      ['for'],
    ),
    additionalProperties: false,
  },
  Health: object({
    status: { type: 'string', enum: ['ok', 'not ready'] },
    durability: { type: 'string', description: 'What an answer of success means.' },
    parts: {
      type: 'array',
      items: object(
        {
          name: { type: 'string' },
          ok: { type: 'boolean' },
          detail: { type: 'string', description: 'What is well, or what is not.' },
          advice: { type: 'string', description: 'What to do; only where it is not well.' },
        },
        ['advice'],
      ),
    },
  }),
};

function list(name: string, description: string) {
  return { type: 'array', items: ref(name), description };
}

function object(properties: Readonly<Record<string, object>>, optional: readonly string[] = []) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', required, properties };
}
