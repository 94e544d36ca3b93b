import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { failureLog } from '../../base/request-id.ts';
import type { Exchange } from '../http/http-server.ts';
import { requestIdOf } from '../http/request-id.ts';
import { send } from '../http/send.ts';
import { traceRequest } from '../http/trace-request.ts';
import type { ProtocolHost } from '../protocol.ts';
import { encodeAnswer } from './encode.ts';
import { Engine, isStream } from './engine.ts';
import { eventStreamTransport, writeEventStream } from './event-stream.ts';
import type { HttpOperation } from './http-handler.ts';
import { buildSchema } from './schema/build-schema.ts';
import { createSocketServer } from './socket/socket-server.ts';

/** Everything that needs graphql-js; loaded by the first operation. */
export interface Runtime {
  answerHttp(exchange: Exchange, operation: HttpOperation): Promise<void>;
  /** Takes over the socket of a WebSocket upgrade. */
  openSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends open sockets, each after its operations. Safe to call twice. */
  close(): Promise<void>;
}

export function createRuntime(host: ProtocolHost): Runtime {
  const engine = new Engine(buildSchema());
  const sockets = createSocketServer(host, engine);
  return {
    answerHttp: (exchange, operation) => answerHttp(host, engine, exchange, operation),
    openSocket: sockets.open,
    close: sockets.close,
  };
}

async function answerHttp(
  host: ProtocolHost,
  engine: Engine,
  exchange: Exchange,
  { caller, parameters, accepted, rules }: HttpOperation,
): Promise<void> {
  const requestId = () => requestIdOf(exchange.request);
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  exchange.response.once('close', leave);
  if (exchange.response.destroyed) leave();
  const prepared = engine.prepare(parameters, rules);
  if (host.tracing !== undefined && 'schema' in prepared && prepared.type === 'mutation') {
    traceRequest(host, exchange, '/graphql', { 'graphql.operation.type': prepared.type });
  }
  const outcome =
    'schema' in prepared
      ? await engine.run(prepared, {
          hub: host.hub,
          caller,
          transport: eventStreamTransport,
          trace: exchange.trace,
          signal: leaving.signal,
          requestId,
        })
      : { errors: prepared };
  if (isStream(outcome) || accepted.answer === undefined) {
    await writeEventStream(host, exchange, outcome);
    return;
  }
  const log = failureLog(host.logger, requestId, exchange.trace);
  const { status, headers, contentType, json } = encodeAnswer(outcome, accepted.answer, log);
  const identity = outcome.errors === undefined ? {} : { 'x-request-id': requestId() };
  send(exchange, status, contentType, json, { ...headers, ...identity });
}
