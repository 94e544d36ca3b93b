import type { Protocol } from '../protocol.ts';
import { getAggregates, getSeries } from './get-aggregates.ts';
import { getEvent, getEvents } from './get-events.ts';
import { postEvents } from './post-events.ts';
import { streamEvents } from './stream-events.ts';

/** REST on the shared HTTP server: events in, events out, live, and exact totals. */
export const restProtocol: Protocol = {
  name: 'rest',
  role: 'http',
  start: async (host) => {
    host.http.route('POST', '/events', postEvents(host));
    host.http.route('GET', '/events', getEvents(host));
    host.http.route('GET', '/events/stream', streamEvents(host));
    host.http.route('GET', '/events/:id', getEvent(host));
    host.http.route('GET', '/aggregates', getAggregates(host));
    host.http.route('GET', '/aggregates/series', getSeries(host));
    // The HTTP server is the host's: it ends what is under way, and streams end by `host.stopping`.
    return { stop: async () => {} };
  },
};
