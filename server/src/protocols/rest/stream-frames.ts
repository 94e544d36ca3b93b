import type { HubError } from '../../base/errors.ts';
import { eventToJson } from '../../event/event-json.ts';
import type { LogEntry, Position } from '../../hub.ts';
import { problemOf } from '../http/problem.ts';

/** How the live feed is written in one media type. Each answer is whole frames. */
export interface StreamFrames {
  readonly contentType: string;
  /** For the counters. */
  readonly transport: string;
  /** Sent before anything else. */
  readonly opening: string;
  entry(entry: LogEntry): string;
  /** History ends here; `position` is undefined in an empty log. */
  caughtUp(position: Position | undefined): string;
  /** Nothing happened for a while; with a position, everything up to it was looked at. */
  heartbeat(position: Position | undefined): string;
  /** The stream ends, and why. */
  failure(error: HubError, requestId: string): string;
}

/** Server-sent events: see https://html.spec.whatwg.org/multipage/server-sent-events.html. */
export const sseFrames: StreamFrames = {
  contentType: 'text/event-stream',
  transport: 'sse',
  opening: 'retry: 3000\n\n',
  entry: ({ event, position }) => `id: ${position}\ndata: ${eventToJson(event, position)}\n\n`,
  caughtUp: (position) => {
    const id = position === undefined ? '' : `id: ${position}\n`;
    return `event: caught-up\n${id}data: ${JSON.stringify({ position: position ?? null })}\n\n`;
  },
  heartbeat: (position) => (position === undefined ? ':\n\n' : `:\nid: ${position}\n\n`),
  failure: (error, requestId) => {
    // A browser reconnects by itself from the last id: where that place is gone, seldom, and never past what it missed.
    const lead =
      error.code === 'position_gone'
        ? 'retry: 60000\n'
        : error.position === undefined
          ? ''
          : `id: ${error.position}\n`;
    return `${lead}event: error\ndata: ${JSON.stringify(problemOf(error, { requestId }))}\n\n`;
  },
};

/**
 * Lines of events. A line with the member `control` is no event (no event has
 * that field): `caught-up` and `position` tell the position, `error` carries
 * the problem. A blank line is a heartbeat.
 */
export const ndjsonFrames: StreamFrames = {
  contentType: 'application/x-ndjson',
  transport: 'ndjson',
  opening: '',
  entry: ({ event, position }) => `${eventToJson(event, position)}\n`,
  caughtUp: (position) => control('caught-up', { position: position ?? null }),
  heartbeat: (position) => (position === undefined ? '\n' : control('position', { position })),
  failure: (error, requestId) => control('error', { problem: problemOf(error, { requestId }) }),
};

function control(name: string, members: object): string {
  return `${JSON.stringify({ control: name, ...members })}\n`;
}
