import { csvHeader, eventToCsv } from '../../event/event-csv.ts';
import { eventToJson } from '../../event/event-json.ts';
import type { EventPage } from '../../hub.ts';
import { clientAccepts } from '../http/client-accepts.ts';
import type { Exchange } from '../http/http-server.ts';
import { identifyRequest } from '../http/identify-request.ts';
import { parseParameters } from '../http/query-parameters.ts';
import { send, sendJson } from '../http/send.ts';
import type { ProtocolHost } from '../protocol.ts';
import { filterNames } from './filter-names.ts';

/** `GET /events`: a page of the listing, as JSON, NDJSON or CSV. */
export function getEvents(host: ProtocolHost) {
  return async (exchange: Exchange): Promise<void> => {
    const caller = await identifyRequest(host, exchange.request);
    const parameters = parseParameters(exchange.query, listNames);
    const page = await host.hub.find(caller, parameters);
    const type = clientAccepts(exchange.request, listTypes);
    send(exchange, 200, contentTypes[type], encodePage[type](page), {
      'cache-control': 'no-store',
      vary: 'accept',
      ...(page.next === undefined ? {} : { link: nextLink(exchange.query, page.next) }),
    });
  };
}

/** `GET /events/{id}`. */
export function getEvent(host: ProtocolHost) {
  return async (exchange: Exchange): Promise<void> => {
    const caller = await identifyRequest(host, exchange.request);
    const { at_least } = parseParameters(exchange.query, eventNames);
    const { event, position } = await host.hub.get(caller, exchange.parameter, at_least);
    sendJson(exchange, 200, eventToJson(event, position));
  };
}

const listNames = {
  single: ['limit', 'cursor', 'from', 'to', 'order', 'at_least', ...filterNames.single],
  repeatable: filterNames.repeatable,
};
const eventNames = { single: ['at_least'] };

const listTypes = ['application/json', 'application/x-ndjson', 'text/csv'] as const;
type ListType = (typeof listTypes)[number];

const contentTypes = {
  'application/json': 'application/json',
  'application/x-ndjson': 'application/x-ndjson',
  'text/csv': 'text/csv; charset=utf-8; header=present',
} satisfies Record<ListType, string>;

const encodePage = {
  'application/json': ({ events, next }) => {
    const items = events.map(({ event, position }) => eventToJson(event, position));
    return `{"events":[${items.join(',')}],"next":${JSON.stringify(next ?? null)}}`;
  },
  'application/x-ndjson': ({ events }) =>
    events.map(({ event, position }) => `${eventToJson(event, position)}\n`).join(''),
  'text/csv': ({ events }) =>
    csvHeader + events.map(({ event, position }) => eventToCsv(event, position)).join(''),
} satisfies Record<ListType, (page: EventPage) => string>;

/** The same listing with the cursor of its next page. */
function nextLink(query: string, next: string): string {
  const kept = query.split('&').filter((pair) => pair !== '' && !/^(cursor|at_least)=/.test(pair));
  const target = [...kept, `cursor=${encodeURIComponent(next)}`].join('&');
  return `</events?${target}>; rel="next"`;
}
