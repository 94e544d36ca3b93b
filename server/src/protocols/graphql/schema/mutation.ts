import { HubError, invalid } from '../../../base/errors.ts';
import { limits } from '../../../base/limits.ts';
import type { PublishResult } from '../../../hub.ts';
import { builder } from './builder.ts';
import { inGraphqlTerms, withGraphqlNames } from './graphql-terms.ts';
import { eventInput, type StoredResult, sentEventsType, sentEventType } from './send-types.ts';

const retryText =
  'After `unavailable`, `internal` or a broken connection the outcome is unknown: a retry with the ids that `extensions.ids` names is always safe.';

builder.mutationType({
  description:
    'How events come in, with the scope `events:write`. An answer of success means: durable in the log.',
  fields: (t) => ({
    sendEvent: t.field({
      type: sentEventType,
      description: `Sends one event. Fails through \`errors\`: \`invalid\` lists every fault in \`extensions.errors\`, \`conflict\` means that the id is taken by other content. ${retryText}`,
      args: {
        input: t.arg({ type: eventInput, required: true, description: 'The event.' }),
      },
      resolve: (_, { input }, { hub, caller, trace, requestId }) =>
        inGraphqlTerms({ under: '/input' }, async () => {
          const options = { protocol: 'graphql', trace, requestId };
          const [result] = await hub.publish(caller, [hubInput(input)], options);
          return stored(result);
        }),
    }),

    sendEvents: t.field({
      type: sentEventsType,
      description: `Sends up to ${limits.batchEvents} events in one commit. Each input gets its own result: the good ones are stored, the others refused. An input of another shape (a required field missing, an unknown one there) is refused by GraphQL itself, and then nothing is stored. ${retryText}`,
      args: {
        inputs: t.arg({
          type: [eventInput],
          required: true,
          description: 'The events, at least one.',
        }),
        atomic: t.arg.boolean({
          defaultValue: false,
          description: 'All or nothing: one refused event and none is stored.',
        }),
      },
      resolve: async (_, { inputs, atomic }, { hub, caller, trace, requestId }) => {
        checkLength(inputs);
        const results = await hub.publish(caller, inputs.map(hubInput), {
          protocol: 'graphql',
          atomic: atomic === true,
          trace,
          requestId,
        });
        return { items: results.map((result, index) => ({ index, result: named(result, index) })) };
      },
    }),
  }),
});

type EventInput = typeof eventInput.$inferInput;

/** The input under the hub's names, without what was not sent. */
function hubInput(input: EventInput): Readonly<Record<string, unknown>> {
  const { userId: user_id, eventType: event_type, ...others } = input;
  return { ...others, user_id, event_type };
}

function stored(result: PublishResult | undefined): StoredResult {
  if (result !== undefined && 'position' in result) return result;
  if (result?.status === 'rejected') throw result.error;
  throw new HubError('internal', 'the hub did not say what became of the event');
}

/** A refusal in GraphQL's names, with pointers into the arguments. */
function named(result: PublishResult, index: number): PublishResult {
  if (result.status !== 'rejected') return result;
  return { ...result, error: withGraphqlNames(result.error, { under: `/inputs/${index}` }) };
}

function checkLength({ length }: readonly unknown[]): void {
  if (length === 0) {
    throw invalid('/inputs', 'empty_batch', 'the batch is empty: send at least one event');
  }
  if (length <= limits.batchEvents) return;
  const detail = `the batch has more than ${limits.batchEvents} events: send it in parts`;
  throw new HubError('too_large', detail, {
    details: [{ pointer: '/inputs', code: 'batch_too_large', detail }],
  });
}
