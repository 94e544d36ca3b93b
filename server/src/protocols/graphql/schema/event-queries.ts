import { limits } from '../../../base/limits.ts';
import { atLeastText, eventFilter, eventTypeText, userIdText } from './arguments.ts';
import { builder } from './builder.ts';
import { eventConnectionType, findConnection } from './connection.ts';
import { eventType } from './event-type.ts';
import { inGraphqlTerms } from './graphql-terms.ts';

builder.queryFields((t) => ({
  lastEvents: t.field({
    type: [eventType],
    description: 'The latest events, latest received first.',
    args: {
      limit: t.arg.int({
        defaultValue: limits.graphqlLastEventsDefault,
        description: `How many at the most, 1 to ${limits.pageEvents}.`,
      }),
      userId: t.arg.stringList({ description: userIdText }),
      eventType: t.arg.stringList({ description: eventTypeText }),
      atLeast: t.arg.string({ description: atLeastText }),
    },
    resolve: (_, { limit, userId, eventType, atLeast }, { hub, caller }) =>
      inGraphqlTerms({}, async () => {
        const page = await hub.find(caller, {
          limit: limit ?? limits.graphqlLastEventsDefault,
          user_id: userId,
          event_type: eventType,
          order: 'desc',
          at_least: atLeast,
        });
        return page.events;
      }),
  }),

  event: t.field({
    type: eventType,
    nullable: true,
    description: 'The event with this id. Null beside the error `not_found` when there is none.',
    args: {
      id: t.arg.id({ required: true, description: 'The identity of the event.' }),
      atLeast: t.arg.string({ description: atLeastText }),
    },
    resolve: (_, { id, atLeast }, { hub, caller }) =>
      inGraphqlTerms({}, () => hub.get(caller, id, atLeast)),
  }),

  events: t.field({
    type: eventConnectionType,
    description:
      'All events, newest first, in pages: forwards with `first` and `after`, backwards with `last` and `before`. This is a listing; to follow what comes, use `eventStream`.',
    args: {
      first: t.arg.int({
        description: `Page forwards: so many, 1 to ${limits.pageEvents}; ${limits.pageEventsDefault} when neither \`first\` nor \`last\` is given.`,
      }),
      after: t.arg.string({ description: 'Page forwards: only what lies behind this cursor.' }),
      last: t.arg.int({
        description: `Page backwards: so many before \`before\`, 1 to ${limits.pageEvents}.`,
      }),
      before: t.arg.string({
        description: 'Page backwards: only what lies before this cursor.',
      }),
      filter: t.arg({ type: eventFilter, description: 'Which events; all when absent.' }),
      atLeast: t.arg.string({ description: atLeastText }),
    },
    resolve: (_, { filter, atLeast, ...paging }, context) => {
      const backwards = typeof paging.last === 'number' || typeof paging.before === 'string';
      const names = {
        limit: typeof paging.last === 'number' ? '/last' : '/first',
        cursor: backwards ? '/before' : '/after',
        first: '/first',
        last: '/last',
        before: '/before',
        at_least: '/atLeast',
      };
      return inGraphqlTerms({ under: '/filter', names }, () =>
        findConnection(context, paging, {
          user_id: filter?.userId,
          event_type: filter?.eventType,
          currency: filter?.currency,
          from: filter?.from,
          to: filter?.to,
          at_least: atLeast,
        }),
      );
    },
  }),
}));
