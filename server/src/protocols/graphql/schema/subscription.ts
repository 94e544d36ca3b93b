import { subscribeToEvents } from '../event-feed.ts';
import { feedFilter } from './arguments.ts';
import { builder } from './builder.ts';
import { eventType, type PlacedEvent } from './event-type.ts';
import { inGraphqlTerms } from './graphql-terms.ts';

builder.subscriptionType({
  description: 'What can be followed, with the scope `events:read`.',
  fields: (t) => ({
    eventStream: t.field({
      type: eventType,
      description:
        'Events in log order, at least once: the history behind `after`, then live, without a gap. To resume, give the `position` of the last event that arrived. A stream that the hub ends says why first, as an error whose `extensions.position` is where to resume: `slow_reader` when its reader falls behind, `unavailable` when the hub stops, `unauthenticated` when its credential has ended, `position_gone` when retention has removed what comes next.',
      args: {
        after: t.arg.string({
          description:
            'The `position` of an event, `start` for the oldest, `end` (also when absent) for only what is to come.',
        }),
        filter: t.arg({ type: feedFilter, description: 'Which events; all when absent.' }),
      },
      subscribe: (_, { after, filter }, context) =>
        inGraphqlTerms({ under: '/filter', names: { after: '/after' } }, () =>
          subscribeToEvents(context, {
            after,
            user_id: filter?.userId,
            event_type: filter?.eventType,
            currency: filter?.currency,
          }),
        ),
      resolve: (event: PlacedEvent) => event,
    }),
  }),
});
