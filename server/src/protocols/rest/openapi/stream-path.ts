import { limits } from '../../../base/limits.ts';
import { always, filterParameters, needs, problems, query } from './parts.ts';

/** `/events/stream`. */
export function streamPaths() {
  return { '/events/stream': { get: streamEvents() } };
}

function streamEvents() {
  return {
    tags: ['Events'],
    operationId: 'streamEvents',
    ...needs('events:read'),
    summary: 'Follow events live',
    description,
    parameters: [
      query('after', { type: 'string', default: 'end' }, afterText, { example: 'start' }),
      query('follow', { type: 'boolean', default: true }, followText, { example: false }),
      query('limit', { type: 'integer', minimum: 1, maximum: limits.pageEvents }, limitText, {
        example: 10,
      }),
      ...filterParameters(),
      {
        name: 'Last-Event-ID',
        in: 'header',
        description: 'A position, as a browser sends it when it reconnects; wins over `after`.',
        schema: { type: 'string' },
      },
    ],
    responses: {
      ...problems(...always, 'position_gone'),
      200: {
        description: 'The stream.',
        content: {
          'text/event-stream': { schema: { type: 'string', description: sseText } },
          'application/x-ndjson': { schema: { type: 'string', description: linesText } },
        },
      },
    },
  };
}

const description = `History after a position, then live, at least once and in log order. Save the position of what you have handled and resume there: nothing is left out. A stream ends with its credential: \`unauthenticated\`, and the position to resume from with another.

As server-sent events (\`curl -N\`; EventSource sends no credential, so where one is asked for a page reads the answer of \`fetch\`): \`id:\` is the position, \`data:\` the event, without an \`event:\` field. \`event: caught-up\` says that history ends, \`event: error\` why the hub ends the stream and where to resume.

With \`Accept: application/x-ndjson\` each line is an event, or has the member \`control\`, which no event has: \`{"control":"caught-up","position":...}\`, \`{"control":"position","position":...}\` (on a filtered feed: everything up to there was looked at) and \`{"control":"error","problem":{...}}\`. Blank lines are heartbeats.`;

const afterText =
  '`start` (the oldest event), `end` (only what is to come) or a position, which may also be the one of an event.';
const followText = '`false` ends the stream after the history, so that a job can pull.';
const limitText = 'Ends the stream after so many events.';
const sseText =
  'Every 15 s a comment; on a filtered feed also an `id:` with the place that was looked at.';
const linesText = 'One event or control object a line.';
