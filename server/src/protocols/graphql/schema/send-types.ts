import type { ErrorDetail, HubError } from '../../../base/errors.ts';
import type { PublishResult } from '../../../hub.ts';
import { builder } from './builder.ts';

export const eventInput = builder.inputType('EventInput', {
  description:
    'A business event on its way in. A field that is not named here is refused: free data goes under `metadata`.',
  fields: (t) => ({
    id: t.string({
      description:
        'The identity of the event for ever: 1-128 of `A-Z a-z 0-9 . _ ~ : -`, the first a letter or digit. A second send with the same id and content is a duplicate, which is success; with other content a conflict, which is refused. Absent: the hub makes one.',
    }),
    userId: t.string({
      required: true,
      description: 'Who the event is about: 1-256 Unicode code points, no control characters.',
    }),
    eventType: t.string({
      required: true,
      description:
        'One of the types that this hub is configured for, in exact case: by default `purchase`, `return` and `refund`.',
    }),
    amount: t.field({
      type: 'Amount',
      required: true,
      description:
        '`150.75` or `"150.75"`. Always positive: the type makes it count as plus or minus.',
    }),
    currency: t.string({
      description:
        "ISO 4217, upper case. Absent: the hub's default currency, `XXX` unless configured.",
    }),
    timestamp: t.string({
      description:
        'When it happened: RFC 3339 with an offset, such as `2026-06-30T10:00:00Z`. Absent: when the hub takes the event.',
    }),
    metadata: t.field({
      type: 'JSON',
      description:
        'A JSON object of at most 16 KiB and 16 levels that stays with the event. A number that a double cannot hold is refused: send it as a string.',
    }),
  }),
});

/** An event that is stored. */
export type StoredResult = Extract<PublishResult, { readonly position: unknown }>;

export const sentEventType = builder.objectRef<StoredResult>('SentEvent').implement({
  description: 'The answer to an event that is durable in the log.',
  fields: (t) => ({
    status: t.string({
      description: '`success`, or `duplicate` when this id was stored before with this content.',
      resolve: (result) => result.status,
    }),
    id: t.id({
      description: 'The identity of the event; made by the hub when the input had none.',
      resolve: (result) => result.id,
    }),
    position: t.string({
      description:
        'The place of the event in the log (of the first one, for a duplicate): for `eventStream(after:)` and `atLeast`.',
      resolve: (result) => result.position,
    }),
  }),
});

const errorDetailType = builder.objectRef<ErrorDetail>('ErrorDetail').implement({
  description: 'One fault in an input.',
  fields: (t) => ({
    pointer: t.string({
      description: 'Which input: a JSON pointer into the arguments, such as `/inputs/3/userId`.',
      resolve: (each) => each.pointer,
    }),
    code: t.string({
      description: 'A machine word for the fault, such as `required`.',
      resolve: (each) => each.code,
    }),
    detail: t.string({
      description: 'What is wrong and what to do.',
      resolve: (each) => each.detail,
    }),
  }),
});

/** Wrapped: graphql-js takes an Error that a resolver answers for a failure of that field. */
interface Refusal {
  readonly error: HubError;
}

const eventErrorType = builder.objectRef<Refusal>('EventError').implement({
  description: 'Why one event of a batch was refused.',
  fields: (t) => ({
    code: t.string({
      description: '`invalid` or `conflict`: the codes of `extensions.code`.',
      resolve: ({ error }) => error.code,
    }),
    message: t.string({
      description: 'What is wrong and what to do.',
      resolve: ({ error }) => error.message,
    }),
    errors: t.field({
      type: [errorDetailType],
      description: 'Every fault that was found.',
      resolve: ({ error }) => error.details,
    }),
  }),
});

/** What became of one event of a batch. */
export interface BatchItem {
  readonly index: number;
  readonly result: PublishResult;
}

const batchItemType = builder.objectRef<BatchItem>('SentEventsItem').implement({
  description: 'What became of one event of a batch.',
  fields: (t) => ({
    index: t.int({ description: 'Its place in `inputs`, from 0.', resolve: (item) => item.index }),
    status: t.string({
      description:
        '`success` and `duplicate` are durable; `rejected` has an `error`; `not_stored` had nothing wrong with it, another event of its atomic batch was refused.',
      resolve: ({ result }) => result.status,
    }),
    id: t.id({
      nullable: true,
      description: 'The identity of the event; null when a refused input has none.',
      resolve: ({ result }) => result.id ?? null,
    }),
    position: t.string({
      nullable: true,
      description: 'The place of the event in the log, when it is durable.',
      resolve: ({ result }) => ('position' in result ? result.position : null),
    }),
    error: t.field({
      type: eventErrorType,
      nullable: true,
      description: 'Why it was refused.',
      resolve: ({ result }) => (result.status === 'rejected' ? result : null),
    }),
  }),
});

export interface Batch {
  readonly items: readonly BatchItem[];
}

export const sentEventsType = builder.objectRef<Batch>('SentEvents').implement({
  description: 'The answer to a batch. What it calls `success` or `duplicate` is durable.',
  fields: (t) => ({
    accepted: t.int({
      description: 'How many events are new and durable.',
      resolve: (batch) => count(batch, 'success'),
    }),
    duplicates: t.int({
      description: 'How many were stored before, with the same content.',
      resolve: (batch) => count(batch, 'duplicate'),
    }),
    rejected: t.int({
      description: 'How many were refused.',
      resolve: (batch) => count(batch, 'rejected'),
    }),
    results: t.field({
      type: [batchItemType],
      description: 'One for each input, in their order.',
      resolve: (batch) => batch.items,
    }),
  }),
});

function count({ items }: Batch, status: PublishResult['status']): number {
  return items.filter(({ result }) => result.status === status).length;
}
