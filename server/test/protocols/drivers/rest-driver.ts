import { openStream, parseFrame } from '../../support/read-stream.ts';
import { answerOf, get, postEvents, type RestAnswer } from '../../support/rest-calls.ts';
import {
  type BatchAnswer,
  type EventSeen,
  type Failure,
  type FeedItem,
  type FeedRequest,
  neutralPointer,
  type PageSeen,
  type ProtocolDriver,
  Refused,
  type SeriesSeen,
  type Shown,
  type Stored,
  type TotalsSeen,
} from './protocol-driver.ts';

/** REST, with its live feed as server-sent events or as lines. */
export function createRestDriver(
  url: string,
  feed: 'sse' | 'ndjson' = 'sse',
  shown: Shown = {},
): ProtocolDriver {
  const ask = async <Answer>(path: string) => read<Answer>(await get(url, path, shown));
  return {
    name: feed === 'sse' ? 'REST' : 'REST with lines',
    saysCaughtUp: true,
    pulls: true,
    givesLatest: false,
    send: async (event) => read<Stored>(await postEvents(url, event, shown)),
    sendBatch: async (events, { atomic = false } = {}) => {
      const answer = await postEvents(url, events, shown, atomic ? '?atomic=true' : '');
      return batchOf(answer.json?.results === undefined ? read(answer) : answer.json);
    },
    get: async (id, atLeast) => {
      const path = `/events/${encodeURIComponent(id)}${queryOf({ at_least: atLeast })}`;
      return eventOf(await ask(path));
    },
    list: async (query = {}) => pageOf(await ask(`/events${queryOf(query)}`)),
    latest: async ({ limit = 10, ...filter } = {}) =>
      pageOf(await ask<RawPage>(`/events${queryOf({ limit, ...filter })}`)).events,
    aggregate: (query = {}) => ask<TotalsSeen>(`/aggregates${queryOf(query)}`),
    series: async (query) => {
      const { step, buckets } = await ask<SeriesSeen>(`/aggregates/series${queryOf(query)}`);
      return {
        step,
        buckets: buckets.map((each) => ({ ...each, event_type: each.event_type })),
      };
    },
    subscribe: (request) => subscribe(url, feed, shown, request),
    close: async () => {},
  };
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { readonly pointer: string; readonly code: string }[];
  readonly position?: string;
}

function read<T>(answer: RestAnswer): T {
  if (answer.status < 300) return answer.json as T;
  if (answer.headers.get('content-type') !== 'application/problem+json') {
    throw new Error(`${answer.status} without a problem document: ${answer.text}`);
  }
  throw refusedBy(answer.json);
}

/** Why the hub refused, from a problem document. */
export function refusedBy({ position, ...problem }: Problem): Refused {
  return new Refused(failureIn(problem), position);
}

function failureIn({ code, detail, errors }: Problem): Failure {
  return {
    code,
    message: detail,
    errors: errors.map((each) => ({
      pointer: neutralPointer(each.pointer),
      code: each.code,
    })),
  };
}

type RawItem = Omit<BatchAnswer['results'][number], 'error' | 'id'> & {
  readonly id: string | null;
  readonly error?: Problem;
};

/** What became of each event of a batch. */
export function batchOf(answer: Omit<BatchAnswer, 'results'> & { results: readonly RawItem[] }) {
  return {
    accepted: answer.accepted,
    duplicates: answer.duplicates,
    rejected: answer.rejected,
    results: answer.results.map(({ index, status, id, position, error }) => ({
      index,
      status,
      id: id ?? undefined,
      position,
      error: error === undefined ? undefined : failureIn(error),
    })),
  };
}

function eventOf(event: EventSeen): EventSeen {
  return { ...event, metadata: event.metadata };
}

type RawPage = { readonly events: readonly EventSeen[]; readonly next: string | null };

function pageOf(page: RawPage): PageSeen {
  return { events: page.events.map(eventOf), next: page.next ?? undefined };
}

function queryOf(query: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) if (each !== undefined) parameters.append(name, each);
  }
  return parameters.size === 0 ? '' : `?${parameters}`;
}

async function* subscribe(
  url: string,
  feed: 'sse' | 'ndjson',
  shown: Shown,
  { after, filter = {}, follow = true, signal }: FeedRequest,
): AsyncGenerator<FeedItem> {
  const path = `${url}/events/stream${queryOf({ after, follow, ...filter })}`;
  const accept = feed === 'sse' ? 'text/event-stream' : 'application/x-ndjson';
  const stream = await openStream(path, { accept, ...shown }, feed === 'sse' ? '\n\n' : '\n');
  const close = () => void stream.close();
  signal.addEventListener('abort', close);
  try {
    if (!stream.response.ok) read(await answerOf(fetch(path, { headers: { accept, ...shown } })));
    for (let text = await stream.next(); text !== undefined; text = await stream.next()) {
      const item = feed === 'sse' ? frameItem(text) : lineItem(text);
      if (item !== undefined) yield item;
    }
  } finally {
    signal.removeEventListener('abort', close);
    await stream.close();
  }
}

function frameItem(block: string): FeedItem | undefined {
  const frame = parseFrame(block);
  if (frame.data === undefined) return undefined;
  const data = JSON.parse(frame.data);
  if (frame.event === 'error') throw refusedBy(data);
  if (frame.event === 'caught-up') return { kind: 'caught-up', position: frame.id };
  return { kind: 'event', event: eventOf(data), position: frame.id ?? '' };
}

function lineItem(line: string): FeedItem | undefined {
  if (line === '') return undefined;
  const { control, problem, position, ...event } = JSON.parse(line);
  if (control === undefined) {
    return { kind: 'event', event: eventOf({ ...event, position }), position };
  }
  if (control === 'error') throw refusedBy(problem);
  return control === 'caught-up'
    ? { kind: 'caught-up', position: position ?? undefined }
    : undefined;
}
