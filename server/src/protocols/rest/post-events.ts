import { limits } from '../../base/limits.ts';
import type { Caller, Hub, PublishOptions, PublishResult } from '../../hub.ts';
import type { Exchange } from '../http/http-server.ts';
import { identifyRequest } from '../http/identify-request.ts';
import { mediaTypeOf } from '../http/media-type.ts';
import { flag, parseParameters } from '../http/query-parameters.ts';
import { readBody } from '../http/read-body.ts';
import { requestIdOf } from '../http/request-id.ts';
import { sendJson } from '../http/send.ts';
import { traceRequest } from '../http/trace-request.ts';
import type { ProtocolHost } from '../protocol.ts';
import { decodeJsonBody, decodeNdjsonBody } from './decode.ts';
import { encodeBatch, encodeStored } from './encode.ts';
import { badKey, idempotencyKeyOf, withIdempotencyKey } from './idempotency-key.ts';

/** `POST /events`: one event, or a batch as a JSON array or NDJSON. The hub's hottest path. */
export function postEvents(host: ProtocolHost) {
  return async (exchange: Exchange): Promise<void> => {
    if (host.tracing !== undefined) traceRequest(host, exchange, '/events');
    const { request, query } = exchange;
    const caller = await identifyRequest(host, request);
    const type = mediaTypeOf(request, mediaTypes);
    const atomic = query !== '' && flag(parseParameters(query, parameterNames), 'atomic', false);
    const key = idempotencyKeyOf(request);
    const body = await readBody(exchange, limits.batchBodyBytes);
    const decoded = type === 'application/json' ? decodeJsonBody(body) : decodeNdjsonBody(body);
    const inputs = decoded instanceof Promise ? await decoded : decoded;
    if (inputs.kind === 'batch') {
      if (key !== undefined) throw badKey('it names one event: a batch carries its ids inside');
      await publishBatch(exchange, host.hub, caller, inputs.inputs, atomic);
      return;
    }
    const input = key === undefined ? inputs.input : withIdempotencyKey(inputs.input, key);
    const [result] = await host.hub.publish(caller, [input], optionsOf(exchange));
    answerSingle(exchange, result);
  };
}

const mediaTypes = ['application/json', 'application/x-ndjson'] as const;
const parameterNames = { single: ['atomic'] };

function answerSingle({ response }: Exchange, result: PublishResult | undefined): void {
  if (result?.status === 'rejected') throw result.error;
  if (result?.status !== 'success' && result?.status !== 'duplicate') {
    throw new Error('the hub gave no result for a single event');
  }
  const body = encodeStored(result.status, result.id, result.position);
  // A flat list of headers is the quickest form that Node takes.
  const headers = [
    'content-type',
    'application/json',
    'cache-control',
    'no-store',
    'content-length',
    String(Buffer.byteLength(body)),
    'location',
    `/events/${result.id}`,
  ];
  response.writeHead(result.status === 'success' ? 201 : 200, headers);
  response.end(body);
}

async function publishBatch(
  exchange: Exchange,
  hub: Hub,
  caller: Caller,
  inputs: readonly unknown[],
  atomic: boolean,
): Promise<void> {
  const results = await hub.publish(caller, inputs, { ...optionsOf(exchange), atomic });
  const { status, json } = encodeBatch(results, atomic);
  sendJson(exchange, status, json);
}

/** The id of the request is looked for where something failed. */
function optionsOf({ request, trace }: Exchange): PublishOptions {
  return { protocol: 'rest', trace, requestId: () => requestIdOf(request) };
}
