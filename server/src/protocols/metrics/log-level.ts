import { formatInstant } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { decodeUtf8, parseJson } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import type { LogLevelState } from '../../base/log-level.ts';
import { anonymousAccount, type Caller } from '../../hub.ts';
import type { Exchange } from '../http/http-server.ts';
import { identifyRequest } from '../http/identify-request.ts';
import { mediaTypeOf } from '../http/media-type.ts';
import { parseParameters } from '../http/query-parameters.ts';
import { readBody } from '../http/read-body.ts';
import { sendJson } from '../http/send.ts';
import type { ProtocolHost } from '../protocol.ts';

/** `GET /log-level`: of this process. */
export function getLogLevel(host: ProtocolHost) {
  return async (exchange: Exchange): Promise<void> => {
    const caller = await administrator(host, exchange);
    sendJson(exchange, 200, levelJson(host.hub.logLevel(caller)));
  };
}

/** `PUT /log-level` with `{"level":"debug","for":"10m"}`: until then, or the next change or start. */
export function putLogLevel(host: ProtocolHost) {
  return async (exchange: Exchange): Promise<void> => {
    const caller = await administrator(host, exchange);
    mediaTypeOf(exchange.request, ['application/json']);
    const body = await readBody(exchange, limits.singleBodyBytes);
    const state = host.hub.changeLogLevel(caller, parseJson(decodeUtf8(body)));
    sendJson(exchange, 200, levelJson(state));
  };
}

/**
 * Who has the scope `admin`. Without a credential that is who reaches a hub that
 * listens on this machine alone, and is no page of the web that `http.corsOrigins`
 * lets in by a browser here: where a hub is open to others, everybody may
 * send it events, and nobody may silence its log or flood the disk under it.
 */
async function administrator(host: ProtocolHost, { request, query }: Exchange): Promise<Caller> {
  const caller = await identifyRequest(host, request);
  host.hub.authorize(caller, 'admin');
  const isOpen = host.anyHostName || request.headers.origin !== undefined;
  if (isOpen && caller.account === anonymousAccount) {
    throw new HubError(
      'forbidden',
      'without a credential this is only for a hub on this machine alone: make a key with the scope admin',
    );
  }
  parseParameters(query, { single: [] });
  return caller;
}

function levelJson({ level, configured, until }: LogLevelState): string {
  return JSON.stringify({
    level,
    configured_level: configured,
    until: until === undefined ? null : formatInstant(until),
  });
}
