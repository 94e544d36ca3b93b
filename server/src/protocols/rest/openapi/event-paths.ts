import { limits } from '../../../base/limits.ts';
import type { Examples } from './examples.ts';
import { always, atLeast, filterParameters, json, needs, problems, query, ref } from './parts.ts';

/** `/events` and `/events/{id}`. */
export function eventPaths(examples: Examples) {
  return {
    '/events': { post: sendEvents(examples), get: listEvents() },
    '/events/{id}': { get: getEvent(examples) },
  };
}

function sendEvents(examples: Examples) {
  const body = { oneOf: [ref('EventInput'), { type: 'array', items: ref('EventInput') }] };
  return {
    tags: ['Events'],
    operationId: 'sendEvents',
    ...needs('events:write'),
    summary: 'Send one event or a batch',
    description: `One JSON object, a JSON array, or NDJSON with one event a line: up to ${limits.batchEvents} events and ${limits.batchBodyBytes / 1024 / 1024} MiB. A batch is not all-or-nothing unless \`atomic\`: the good ones are durable and \`results\` says what became of each. Bodies may be compressed (gzip, deflate, br).`,
    parameters: [
      query('atomic', { type: 'boolean' }, 'One refused event, and none of the batch is written.'),
      {
        name: 'Idempotency-Key',
        in: 'header',
        description: 'The id of a single event that has none in its body.',
        schema: ref('EventId'),
      },
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: body,
          examples: { ...examples.single, batch: examples.batch },
        },
        'application/x-ndjson': {
          schema: { type: 'string', description: 'One event a line.' },
          example: examples.ndjson,
        },
      },
    },
    responses: {
      ...problems(...always, 'too_large', 'unsupported_media_type', 'conflict'),
      200: json('A duplicate: the same event is already stored.', ref('Stored'), location),
      201: json('Durable. Of a batch: none was refused.', storedOrBatch, location),
      207: json('Some events of the batch were refused.', ref('BatchAnswer')),
      422: refusedAll,
    },
  };
}

const storedOrBatch = { oneOf: [ref('Stored'), ref('BatchAnswer')] };
const location = {
  Location: { description: 'Of a single event.', schema: { type: 'string' } },
};
const refusedAll = {
  description:
    'A single event that breaks the contract is a problem document. A batch of which all events were refused, or an atomic one with a refused event, answers its results.',
  content: {
    'application/problem+json': { schema: ref('Problem') },
    'application/json': { schema: ref('BatchAnswer') },
  },
};

function listEvents() {
  const integer = { type: 'integer', minimum: 1, maximum: limits.pageEvents };
  const time = { type: 'string', format: 'date-time' };
  return {
    tags: ['Events'],
    operationId: 'listEvents',
    ...needs('events:read'),
    summary: 'List stored events',
    description:
      'A listing by pages, newest first. To follow events without a gap, use `/events/stream`. JSON, NDJSON or CSV by `Accept`.',
    parameters: [
      query('limit', { ...integer, default: limits.pageEventsDefault }, 'Events on a page.'),
      query('cursor', { type: 'string' }, 'The `next` of the page before, and nothing else.'),
      ...filterParameters(),
      query('from', time, 'Events that happened at this time or later.'),
      query('to', time, 'Events that happened before this time.'),
      query(
        'order',
        { type: 'string', enum: ['desc', 'asc'], default: 'desc' },
        'Newest or oldest first.',
      ),
      atLeast(),
    ],
    responses: {
      ...problems(...always),
      200: {
        description: 'A page. NDJSON and CSV have the next page in the header `Link` only.',
        headers: { Link: { description: '`<...>; rel="next"`', schema: { type: 'string' } } },
        content: {
          'application/json': { schema: ref('EventPage') },
          'application/x-ndjson': { schema: { type: 'string', description: 'One event a line.' } },
          'text/csv': { schema: { type: 'string', description: csvColumns } },
        },
      },
    },
  };
}

const csvColumns =
  'With a header: id,user_id,event_type,amount,currency,timestamp,metadata,received_at,position.';

function getEvent({ knownId }: Examples) {
  return {
    tags: ['Events'],
    operationId: 'getEvent',
    ...needs('events:read'),
    summary: 'Get one event',
    description:
      'The `detail` of a 404 says whether the event was removed by retention; sent again, such an event is a duplicate still.',
    parameters: [
      { name: 'id', in: 'path', required: true, schema: ref('EventId'), example: knownId },
      atLeast(),
    ],
    responses: { ...problems(...always, 'not_found'), 200: json('The event.', ref('Event')) },
  };
}
