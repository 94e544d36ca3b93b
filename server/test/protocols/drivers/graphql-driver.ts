import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { openStream, parseFrame } from '../../support/read-stream.ts';
import { answerOf } from '../../support/rest-calls.ts';
import { bucketOf, documents, type RawTotals, totalsOf } from './graphql-documents.ts';
import {
  type BatchAnswer,
  type EventFields,
  type EventSeen,
  exactBeside,
  type Failure,
  type FeedItem,
  type FeedRequest,
  neutralPointer,
  type PageSeen,
  type ProtocolDriver,
  Refused,
  type Shown,
  type Stored,
} from './protocol-driver.ts';

/** GraphQL over HTTP, with its live feed over a WebSocket or as server-sent events. */
export function createGraphqlDriver(
  url: string,
  feed: 'ws' | 'sse' = 'ws',
  shown: Shown = {},
): ProtocolDriver {
  const run = async <Answer>(query: string, variables: object) =>
    dataOf<Answer>((await postGraphql(url, JSON.stringify({ query, variables }), shown)).json);
  return {
    name: feed === 'ws' ? 'GraphQL' : 'GraphQL with server-sent events',
    saysCaughtUp: false,
    pulls: false,
    givesLatest: false,
    send: async (event) =>
      (await run<{ sendEvent: Stored }>(documents.send, { input: inputOf(event) })).sendEvent,
    sendBatch: async (events, { atomic = false } = {}) => {
      const variables = { inputs: events.map(inputOf), atomic };
      return batchOf(
        (await run<{ sendEvents: RawBatch }>(documents.sendBatch, variables)).sendEvents,
      );
    },
    get: async (id, atLeast) =>
      eventOf((await run<{ event: RawEvent }>(documents.event, { id, atLeast })).event),
    list: async ({ limit, cursor, order = 'desc', at_least, ...filter } = {}) => {
      const paging =
        order === 'desc' ? { first: limit, after: cursor } : { last: limit ?? 100, before: cursor };
      const variables = { ...paging, filter: camelCased(filter), atLeast: at_least };
      return pageOf((await run<{ events: RawPage }>(documents.events, variables)).events, order);
    },
    latest: async (query = {}) => {
      const answer = await run<{ lastEvents: RawEvent[] }>(documents.latest, camelCased(query));
      return answer.lastEvents.map(eventOf);
    },
    aggregate: async (query = {}) =>
      totalsOf((await run<{ totals: RawTotals }>(documents.totals, camelCased(query))).totals),
    series: async (query) => {
      const { series } = await run<{ series: { step: string; buckets: RawTotals[] } }>(
        documents.series,
        camelCased(query),
      );
      return { step: series.step, buckets: series.buckets.map(bucketOf) };
    },
    subscribe: (request) => (feed === 'ws' ? overSocket : asFrames)(url, shown, request),
    close: async () => {},
  };
}

type RawEvent = Readonly<Record<string, unknown>>;

interface RawPage {
  readonly edges: readonly { readonly cursor: string; readonly node: RawEvent }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

export interface RawFailure {
  readonly message: string;
  readonly extensions: {
    readonly code: string;
    readonly errors?: Failure['errors'];
    readonly position?: string;
  };
}

export interface RawResult {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly RawFailure[];
}

/** One request as it is; a failure without data has a status that says so. */
export async function postGraphql(
  url: string,
  body: string | Uint8Array,
  shown: Shown = {},
): Promise<{ readonly status: number; readonly json: RawResult }> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/graphql-response+json',
    ...shown,
  };
  const answer = await answerOf(
    fetch(`${url}/graphql`, { method: 'POST', headers, body: body as string }),
  );
  return { status: answer.status, json: answer.json };
}

function dataOf<Answer>({ data, errors }: RawResult): Answer {
  const [error] = errors ?? [];
  if (error !== undefined) throw refusedBy(error);
  return data as Answer;
}

/** Why the hub refused, from the first of the answer's `errors`, in the hub's own names. */
export function refusedBy({ message, extensions }: RawFailure): Refused {
  const { code, errors = [], position } = extensions;
  return new Refused({ code, message, errors: errors.map(inHubNames) }, position);
}

/** `/input/userId` is `/user_id`, `/inputs/3/userId` too: its item has the index. */
function inHubNames({ pointer, code }: Failure['errors'][number]): Failure['errors'][number] {
  const path = pointer.replace(/^\/(?:input|inputs\/\d+|filter)(?=\/|$)/, '');
  const named = path.replace(/^\/[A-Za-z]+/, (name) =>
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
  return { pointer: neutralPointer(named), code };
}

/** The input of an event: the two names that differ. */
export function inputOf(event: EventFields): Record<string, unknown> {
  const { user_id, event_type, ...others } = event;
  return {
    ...others,
    ...('user_id' in event ? { userId: user_id } : {}),
    ...('event_type' in event ? { eventType: event_type } : {}),
  };
}

function camelCased(query: object): Record<string, unknown> {
  const entries = Object.entries(query).map(([name, value]) => [
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(entries);
}

type RawBatch = Omit<BatchAnswer, 'results'> & {
  readonly results: readonly {
    readonly index: number;
    readonly status: string;
    readonly id: string | null;
    readonly position: string | null;
    readonly error: Failure | null;
  }[];
};

/** What became of each event of a batch. */
export function batchOf({ results, ...counts }: RawBatch): BatchAnswer {
  return {
    ...counts,
    results: results.map(({ id, position, error, ...item }) => ({
      ...item,
      id: id ?? undefined,
      position: position ?? undefined,
      error: error === null ? undefined : { ...error, errors: error.errors.map(inHubNames) },
    })),
  };
}

function eventOf(raw: RawEvent): EventSeen {
  return {
    id: String(raw.id),
    user_id: String(raw.userId),
    event_type: String(raw.eventType),
    amount: String(exactBeside(raw.amount, raw.amountExact)),
    currency: String(raw.currency),
    timestamp: String(raw.timestamp),
    metadata: raw.metadata ?? undefined,
    received_at: String(raw.receivedAt),
    position: String(raw.position),
  };
}

/** A page backwards comes newest first too; turned round it is a page of a listing from the oldest on. */
function pageOf({ edges, pageInfo }: RawPage, order: 'asc' | 'desc'): PageSeen {
  const events = edges.map(({ node }) => eventOf(node));
  if (order === 'desc') {
    return { events, next: (pageInfo.hasNextPage ? pageInfo.endCursor : null) ?? undefined };
  }
  const next = pageInfo.hasPreviousPage ? pageInfo.startCursor : null;
  return { events: events.toReversed(), next: next ?? undefined };
}

function feedOf({ after, filter = {} }: FeedRequest) {
  return { query: documents.feed, variables: { after, filter: camelCased(filter) } };
}

function itemOf(result: RawResult): FeedItem {
  const event = eventOf(dataOf<{ eventStream: RawEvent }>(result).eventStream);
  return { kind: 'event', event, position: event.position };
}

async function* overSocket(
  url: string,
  shown: Shown,
  request: FeedRequest,
): AsyncGenerator<FeedItem> {
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: shown,
    retryAttempts: 0,
  });
  const results = client.iterate(feedOf(request));
  const leave = () => void results.return?.();
  request.signal.addEventListener('abort', leave);
  try {
    for await (const result of results) yield itemOf(result as RawResult);
  } catch (reason) {
    throw Array.isArray(reason) ? refusedBy(reason[0] as RawFailure) : (closedBy(reason) ?? reason);
  } finally {
    request.signal.removeEventListener('abort', leave);
    await client.dispose();
  }
}

/** A WebSocket that closes instead of a connection says by its code why. */
function closedBy(reason: unknown): Refused | undefined {
  const { code, reason: message } = (reason ?? {}) as { code?: unknown; reason?: unknown };
  if (code !== 4401) return undefined;
  return new Refused({ code: 'unauthenticated', message: String(message), errors: [] });
}

async function* asFrames(
  url: string,
  shown: Shown,
  request: FeedRequest,
): AsyncGenerator<FeedItem> {
  const { query, variables } = feedOf(request);
  const parameters = new URLSearchParams({ query, variables: JSON.stringify(variables) });
  const headers = { accept: 'text/event-stream', ...shown };
  const stream = await openStream(`${url}/graphql?${parameters}`, headers);
  const close = () => void stream.close();
  request.signal.addEventListener('abort', close);
  try {
    const { response } = stream;
    if (!response.ok) dataOf(JSON.parse(await response.text()));
    for (let block = await stream.next(); block !== undefined; block = await stream.next()) {
      const { event, data } = parseFrame(block);
      if (event === 'next') yield itemOf(JSON.parse(data ?? '') as RawResult);
    }
  } finally {
    request.signal.removeEventListener('abort', close);
    await stream.close();
  }
}
