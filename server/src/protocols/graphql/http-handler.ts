import { HubError } from '../../base/errors.ts';
import { failureLog } from '../../base/request-id.ts';
import type { Caller } from '../../hub.ts';
import type { Exchange, Handler } from '../http/http-server.ts';
import { identifyRequest } from '../http/identify-request.ts';
import { writeRefusal } from '../http/problem.ts';
import { requestIdOf } from '../http/request-id.ts';
import type { ProtocolHost } from '../protocol.ts';
import { type Accepted, answerTypes, decodeAccept, decodeGet, decodePost } from './decode.ts';
import type { OperationParameters, TransportRules } from './engine.ts';
import { httpHeadersOf, httpStatusOf, wireErrorOf } from './failure.ts';
import type { Runtime } from './runtime.ts';

/** An operation that came by HTTP, read and ready to run. */
export interface HttpOperation {
  readonly caller: Caller;
  readonly parameters: OperationParameters;
  readonly accepted: Accepted;
  readonly rules: TransportRules;
}

export interface HttpHandler {
  readonly get: Handler;
  readonly post: Handler;
}

/** Reads operations without the engine, so that a request that is refused before it needs none. */
export function createHttpHandler(
  host: ProtocolHost,
  runtime: () => Promise<Runtime>,
): HttpHandler {
  const handle = async (
    exchange: Exchange,
    mutations: boolean,
    decode: (exchange: Exchange) => OperationParameters | Promise<OperationParameters>,
  ): Promise<void> => {
    let accepted: Accepted | undefined;
    try {
      accepted = decodeAccept(exchange.request);
      const caller = await identifyRequest(host, exchange.request);
      const parameters = await decode(exchange);
      const subscriptions = accepted.stream && exchange.request.method !== 'HEAD';
      const { answerHttp } = await runtime();
      const rules = { mutations, subscriptions };
      await answerHttp(exchange, { caller, parameters, accepted, rules });
    } catch (reason) {
      refuse(host, exchange, HubError.from(reason), accepted);
    }
  };
  return {
    get: (exchange) => handle(exchange, false, decodeGet),
    post: (exchange) => handle(exchange, true, decodePost),
  };
}

/** A request that never became an operation. */
function refuse(
  { clock, logger }: ProtocolHost,
  { request, response, trace }: Exchange,
  failure: HubError,
  accepted: Accepted | undefined,
): void {
  if (failure.code === 'internal') {
    failureLog(logger, () => requestIdOf(request), trace).error(
      { err: failure.cause ?? failure, route: '/graphql' },
      failure.message,
    );
  }
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (request.socket.destroyed) return;
  const headers = {
    ...httpHeadersOf(failure),
    'content-type': answerTypes[accepted?.answer ?? 'legacy'],
  };
  const json = JSON.stringify({ errors: [wireErrorOf(failure)] });
  writeRefusal(request, response, clock, httpStatusOf(failure), headers, json);
}
