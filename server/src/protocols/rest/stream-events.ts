import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { failureLog } from '../../base/request-id.ts';
import type { FeedBatch, Position, SubscribeRequest } from '../../hub.ts';
import { clientAccepts } from '../http/client-accepts.ts';
import type { Exchange } from '../http/http-server.ts';
import { identifyRequest } from '../http/identify-request.ts';
import { flag, type Parameters, parseParameters } from '../http/query-parameters.ts';
import { headerValues } from '../http/request-header.ts';
import { requestIdOf } from '../http/request-id.ts';
import { createStreamWriter } from '../http/write-stream.ts';
import type { ProtocolHost } from '../protocol.ts';
import { createFeedWriter } from './feed-writer.ts';
import { filterNames } from './filter-names.ts';
import { ndjsonFrames, type StreamFrames, sseFrames } from './stream-frames.ts';

/** `GET /events/stream`: history, then live, as server-sent events or lines. */
export function streamEvents(host: ProtocolHost) {
  const open = new Set<AbortController>();
  const stop = () => {
    for (const each of open) each.abort();
  };
  host.stopping.addEventListener('abort', stop, { once: true });
  return async (exchange: Exchange): Promise<void> => {
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    exchange.response.once('close', leave);
    open.add(leaving);
    if (host.stopping.aborted) leave();
    try {
      await openStream(host, exchange, leaving.signal);
    } finally {
      open.delete(leaving);
      exchange.response.off('close', leave);
    }
  };
}

async function openStream(
  host: ProtocolHost,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<void> {
  const { request, response } = exchange;
  const caller = await identifyRequest(host, request);
  const parameters = parseParameters(exchange.query, streamNames);
  const resumeFrom = lastEventIdOf(exchange);
  const frames = framesByType[clientAccepts(request, streamTypes)];
  const asked: SubscribeRequest = {
    ...parameters,
    after: resumeFrom ?? parameters.after,
    follow: flag(parameters, 'follow', true),
    transport: frames.transport,
    signal,
  };
  const batches = host.hub.subscribe(caller, asked)[Symbol.asyncIterator]();
  let first: IteratorResult<FeedBatch>;
  try {
    // Until the feed has said something, a failure is an answer of its own.
    first = await batches.next();
  } catch (reason) {
    const error = HubError.from(reason);
    const isSeen = error.code !== 'position_gone' || resumeFrom === undefined;
    if (isSeen || frames !== sseFrames) throw error;
    // EventSource cannot read a 410: it gets the reason as a frame.
    response.writeHead(200, headersOf(frames));
    response.end(frames.failure(error, requestIdOf(request)));
    return;
  }
  response.writeHead(200, headersOf(frames));
  if (request.method === 'HEAD') {
    response.end();
    await batches.return?.();
    return;
  }
  await writeFeed(
    host,
    exchange,
    frames,
    isFiltered(parameters) || caller.eventTypes !== undefined,
    first,
    batches,
  );
}

async function writeFeed(
  host: ProtocolHost,
  { request, response }: Exchange,
  frames: StreamFrames,
  filtered: boolean,
  first: IteratorResult<FeedBatch>,
  batches: AsyncIterator<FeedBatch>,
): Promise<void> {
  const writer = createStreamWriter(response, host.clock);
  const feed = createFeedWriter(writer, frames, filtered);
  const closed = host.telemetry.subscriberOpened(frames.transport);
  const stopHeartbeat = host.clock.every(limits.heartbeatMs, feed.heartbeat);
  try {
    response.flushHeaders();
    if (frames.opening !== '') await writer.write(frames.opening);
    for (let next = first; next.done !== true; next = await batches.next()) {
      await feed.write(next.value);
    }
    if (host.stopping.aborted) throw stopping(feed.position);
    writer.end();
  } catch (reason) {
    const error = HubError.from(reason);
    host.telemetry.countSubscriberCut(frames.transport, error.code);
    if (error.code === 'internal') {
      failureLog(host.logger, () => requestIdOf(request)).error(
        { err: error.cause ?? error },
        error.message,
      );
    }
    writer.end(frames.failure(error, requestIdOf(request)));
  } finally {
    stopHeartbeat();
    closed();
    await batches.return?.();
  }
}

const streamNames = {
  single: ['after', 'follow', 'limit', ...filterNames.single],
  repeatable: filterNames.repeatable,
};
const streamTypes = ['text/event-stream', 'application/x-ndjson'] as const;
const framesByType = {
  'text/event-stream': sseFrames,
  'application/x-ndjson': ndjsonFrames,
} satisfies Record<(typeof streamTypes)[number], StreamFrames>;

function headersOf(frames: StreamFrames) {
  return {
    'content-type': frames.contentType,
    'cache-control': 'no-store',
    // A proxy that collects the stream would keep events from their reader.
    'x-accel-buffering': 'no',
    vary: 'accept',
  };
}

function lastEventIdOf({ request }: Exchange): string | undefined {
  const [id, ...others] = headerValues(request, 'last-event-id');
  if (others.length > 0) {
    throw new HubError('unreadable', 'Last-Event-ID came more than once: send it once');
  }
  return id === '' ? undefined : id;
}

function isFiltered(parameters: Parameters): boolean {
  return [...filterNames.single, ...filterNames.repeatable].some(
    (name) => parameters[name] !== undefined,
  );
}

function stopping(position: Position | undefined): HubError {
  return new HubError('unavailable', 'the hub is stopping: resume from the position', {
    ...(position === undefined ? {} : { position }),
  });
}
