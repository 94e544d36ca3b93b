import { invalid } from '../../../base/errors.ts';
import { limits } from '../../../base/limits.ts';
import type { FindRequest, ListedEvent } from '../../../hub.ts';
import type { OperationContext } from '../context.ts';
import { builder } from './builder.ts';
import { eventType } from './event-type.ts';

/** A page of events by the Relay cursor connection specification. */
export interface EventConnection {
  readonly events: readonly ListedEvent[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

const pageInfoType = builder.objectRef<EventConnection>('PageInfo').implement({
  description: 'Where a page lies in its listing.',
  fields: (t) => ({
    hasNextPage: t.boolean({
      description: 'There is more behind the last edge. Exact when paging by `first`.',
      resolve: (page) => page.hasNextPage,
    }),
    hasPreviousPage: t.boolean({
      description: 'There is more before the first edge. Exact when paging by `last`.',
      resolve: (page) => page.hasPreviousPage,
    }),
    startCursor: t.string({
      nullable: true,
      description: 'The cursor of the first edge; null on an empty page.',
      resolve: (page) => page.events[0]?.cursor ?? null,
    }),
    endCursor: t.string({
      nullable: true,
      description: 'The cursor of the last edge; null on an empty page.',
      resolve: (page) => page.events.at(-1)?.cursor ?? null,
    }),
  }),
});

const edgeType = builder.objectRef<ListedEvent>('EventEdge').implement({
  description: 'An event and its place in the listing.',
  fields: (t) => ({
    cursor: t.string({
      description:
        'The place of this event in the listing, opaque: for `after` and `before`. Not a position of the live feed.',
      resolve: (event) => event.cursor,
    }),
    node: t.field({ type: eventType, description: 'The event.', resolve: (event) => event }),
  }),
});

export const eventConnectionType = builder.objectRef<EventConnection>('EventConnection').implement({
  description: 'A page of a listing, newest first.',
  fields: (t) => ({
    edges: t.field({
      type: [edgeType],
      description: 'The events of the page, newest first, whichever way it was asked for.',
      resolve: (page) => page.events,
    }),
    pageInfo: t.field({
      type: pageInfoType,
      description: 'Where the page lies in the listing.',
      resolve: (page) => page,
    }),
  }),
});

export interface ConnectionArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/** Forwards with `first` and `after`, backwards with `last` and `before`; the order is newest first both ways. */
export async function findConnection(
  { hub, caller }: Pick<OperationContext, 'hub' | 'caller'>,
  paging: ConnectionArguments,
  request: Omit<FindRequest, 'limit' | 'cursor' | 'order'>,
): Promise<EventConnection> {
  const { first, after, last, before } = paging;
  refuseMixed(paging);
  const backwards = isPresent(last) || isPresent(before);
  const page = await hub.find(caller, {
    ...request,
    limit: first ?? last ?? limits.pageEventsDefault,
    cursor: after ?? before,
    order: backwards ? 'asc' : 'desc',
  });
  const hasMore = page.next !== undefined;
  return {
    events: backwards ? page.events.toReversed() : page.events,
    hasNextPage: backwards ? isPresent(before) : hasMore,
    hasPreviousPage: backwards ? hasMore : isPresent(after),
  };
}

function refuseMixed({ first, after, last, before }: ConnectionArguments): void {
  const forwards = isPresent(first) || isPresent(after);
  if (!forwards || !(isPresent(last) || isPresent(before))) return;
  const detail =
    'first and after page forwards, last and before backwards: use one pair or the other';
  throw invalid(isPresent(last) ? '/last' : '/before', 'paging_conflict', detail);
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
