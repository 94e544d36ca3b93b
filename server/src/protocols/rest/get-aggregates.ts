import { yieldTurn } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import type { Exchange } from '../http/http-server.ts';
import { identifyRequest } from '../http/identify-request.ts';
import { parseParameters } from '../http/query-parameters.ts';
import { sendJson } from '../http/send.ts';
import type { ProtocolHost } from '../protocol.ts';
import { encodeSeries, encodeTotals } from './encode.ts';
import { filterNames } from './filter-names.ts';

/** `GET /aggregates`: exact totals of one window. */
export function getAggregates(host: ProtocolHost) {
  return async (exchange: Exchange): Promise<void> => {
    const caller = await identifyRequest(host, exchange.request);
    const totals = await host.hub.aggregate(caller, parseParameters(exchange.query, windowNames));
    sendJson(exchange, 200, encodeTotals(totals));
  };
}

/** `GET /aggregates/series`: the same by steps of time. */
export function getSeries(host: ProtocolHost) {
  return async (exchange: Exchange): Promise<void> => {
    const caller = await identifyRequest(host, exchange.request);
    const series = await host.hub.series(caller, parseParameters(exchange.query, seriesNames));
    let json = '';
    let buckets = 0;
    for (const part of encodeSeries(series)) {
      json += part;
      buckets += 1;
      if (buckets % limits.parseSliceEvents === 0) await yieldTurn();
    }
    sendJson(exchange, 200, json);
  };
}

const windowNames = {
  single: ['minutes', 'from', 'to', 'at_least', ...filterNames.single],
  repeatable: filterNames.repeatable,
};
const seriesNames = {
  single: [...windowNames.single, 'step', 'group_by'],
  repeatable: filterNames.repeatable,
};
