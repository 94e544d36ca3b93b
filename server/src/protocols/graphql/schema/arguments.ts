import { builder } from './builder.ts';

/** Arguments that several fields share, described once. */
export const atLeastText =
  'A position, such as the one that a send answered: the hub answers from data that holds it, waits for it up to 5 s, and fails with `unavailable` after that. So you read your own writes.';

export const userIdText = 'Only events of this user, or of one of these.';
export const eventTypeText = 'Only events of this type, or of one of these.';
export const currencyText = 'Only events of this currency (ISO 4217, upper case).';

const filterFields = (t: PothosInputBuilder) => ({
  userId: t.stringList({ description: userIdText }),
  eventType: t.stringList({ description: eventTypeText }),
  currency: t.string({ description: currencyText }),
});

type PothosInputBuilder = Parameters<
  Parameters<typeof builder.inputType<string, Record<string, never>>>[1]['fields']
>[0];

export const feedFilter = builder.inputType('FeedFilter', {
  description:
    'Which events a live feed gives. Absent parts take everything; values within a part are alternatives.',
  fields: filterFields,
});

export const eventFilter = builder.inputType('EventFilter', {
  description:
    'Which events a listing gives. Absent parts take everything; values within a part are alternatives.',
  fields: (t) => ({
    ...filterFields(t),
    from: t.string({
      description:
        'Only events whose `timestamp` is this or later: RFC 3339 with an offset, such as `2026-06-30T10:00:00Z`.',
    }),
    to: t.string({ description: 'Only events whose `timestamp` is before this.' }),
  }),
});
