import { limits } from '../../base/limits.ts';
import { failureLog } from '../../base/request-id.ts';
import type { Exchange } from '../http/http-server.ts';
import { requestIdOf } from '../http/request-id.ts';
import { createStreamWriter, type StreamWriter } from '../http/write-stream.ts';
import type { ProtocolHost } from '../protocol.ts';
import { failureOf, type OperationResult, toWireResult } from './encode.ts';
import { asGraphqlError, isStream, type OperationOutcome } from './engine.ts';

/** For the counters. */
export const eventStreamTransport = 'graphql-sse';

/**
 * Writes results as server-sent events in the distinct connections mode of
 * graphql-sse: `next` for each, `complete` at the end. Only as fast as they
 * are read; a stream that fails says why in a last `next`.
 */
export async function writeEventStream(
  host: ProtocolHost,
  { request, response }: Exchange,
  outcome: OperationOutcome,
): Promise<void> {
  response.writeHead(200, headers);
  const writer = createStreamWriter(response, host.clock);
  const closed = host.telemetry.subscriberOpened(eventStreamTransport);
  const stopHeartbeat = host.clock.every(limits.heartbeatMs, () => {
    // A reader that stalls here stalls the next event too, which ends the stream.
    if (!writer.blocked) writer.write(':\n\n').catch(() => undefined);
  });
  const log = failureLog(host.logger, () => requestIdOf(request));
  const next = (result: OperationResult) =>
    `event: next\ndata: ${JSON.stringify(toWireResult(result, log))}\n\n`;
  try {
    await writer.write(':\n\n');
    if (isStream(outcome)) await writeAll(outcome, writer, next);
    else await writer.write(next(outcome));
    writer.end(COMPLETE);
  } catch (reason) {
    const error = asGraphqlError(reason);
    host.telemetry.countSubscriberCut(eventStreamTransport, failureOf(error).code);
    writer.end(next({ errors: [error] }) + COMPLETE);
  } finally {
    stopHeartbeat();
    closed();
  }
}

const COMPLETE = 'event: complete\ndata:\n\n';

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // A proxy that collects the stream would keep events from their reader.
  'x-accel-buffering': 'no',
  vary: 'accept',
};

async function writeAll(
  results: AsyncIterable<OperationResult>,
  writer: StreamWriter,
  next: (result: OperationResult) => string,
): Promise<void> {
  for await (const result of results) await writer.write(next(result));
}
