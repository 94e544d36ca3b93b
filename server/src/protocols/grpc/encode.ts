import { formatInstant } from '../../base/clock.ts';
import type { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { amountToNumber, formatAmount } from '../../event/money.ts';
import type { Event, PublishResult, Totals } from '../../hub.ts';
import type {
  AggregatedMetricsResponse,
  BatchResponse,
  BatchResult,
  EventMessage,
  EventResponse,
  ItemError,
} from './messages.ts';
import { structFromText } from './struct.ts';

export function eventMessage(event: Event, position: string): EventMessage {
  const exact = formatAmount(event.amount);
  return {
    id: event.id,
    user_id: event.userId,
    event_type: event.eventType,
    amount: Number(exact),
    timestamp: formatInstant(event.timestamp),
    currency: event.currency,
    amount_exact: exact,
    ...(event.metadata === undefined ? {} : { metadata: structFromText(event.metadata) }),
    received_at: formatInstant(event.receivedAt),
    position,
  };
}

/** The answer to a stored event; undefined where it was refused. */
export function storedResponse(result: PublishResult): EventResponse | undefined {
  if (result.status !== 'success' && result.status !== 'duplicate') return undefined;
  const message = result.status === 'success' ? 'stored' : 'already stored';
  return { event_id: result.id, status: result.status, message, position: result.position };
}

/** The answer to an event that was not stored, or whose outcome is unknown, on the stream. */
export function refusedResponse(error: HubError, id: string | undefined): EventResponse {
  return {
    ...(id === undefined ? {} : { event_id: id }),
    status: 'error',
    message: error.message,
    code: error.code,
  };
}

export function batchResponse(results: readonly PublishResult[]): BatchResponse {
  const counts = { success: 0, duplicate: 0, rejected: 0, not_stored: 0 };
  const room = { bytes: limits.grpcPageBytes };
  const encoded = results.map((result, index): BatchResult => {
    counts[result.status] += 1;
    const { status, id } = result;
    const item: BatchResult = { index, status, ...(id === undefined ? {} : { id }) };
    if ('position' in result) item.position = result.position;
    if ('error' in result) item.error = itemError(result.error, room);
    return item;
  });
  return {
    accepted: counts.success,
    duplicates: counts.duplicate,
    rejected: counts.rejected,
    results: encoded,
  };
}

/** A batch that the hub failed on the way: nobody knows what is stored, but the same ids are safe to send again. */
export function unknownBatch(error: HubError, ids: readonly (string | undefined)[]): BatchResponse {
  const reason: ItemError = { code: error.code, message: error.message, errors: [] };
  const results = ids.map((id, index): BatchResult => {
    return { index, status: 'unknown', ...(id === undefined ? {} : { id }), error: reason };
  });
  return { accepted: 0, duplicates: 0, rejected: 0, results };
}

/** With the single faults as long as the answer stays under a client's default limit. */
function itemError(error: HubError, room: { bytes: number }): ItemError {
  const { code, message, details } = error;
  room.bytes -= message.length;
  for (const each of details) room.bytes -= each.pointer.length + each.detail.length;
  return { code, message, errors: room.bytes > 0 ? details : [] };
}

export function totalsMessage(totals: Totals): AggregatedMetricsResponse {
  return {
    ...(totals.total === undefined ? {} : money('total', totals.total)),
    ...(totals.net === undefined ? {} : money('net', totals.net)),
    event_count: totals.eventCount,
    time_window: totals.timeWindow,
    ...(totals.currency === undefined ? {} : { currency: totals.currency }),
    from: formatInstant(totals.from),
    to: formatInstant(totals.to),
    by_type: totals.byType.map((type) => ({
      event_type: type.eventType,
      sign: type.sign,
      currency: type.currency,
      event_count: type.eventCount,
      ...money('total', type.total),
    })),
    by_currency: totals.byCurrency.map((currency) => ({
      currency: currency.currency,
      event_count: currency.eventCount,
      ...money('total', currency.total),
      ...money('net', currency.net),
    })),
    ...(totals.asOf === undefined
      ? {}
      : {
          as_of: {
            position: totals.asOf.position,
            received_at: formatInstant(totals.asOf.receivedAt),
          },
        }),
  };
}

type Money<K extends string> = Record<`${K}_amount`, number> & Record<`${K}_amount_exact`, string>;

function money<K extends 'total' | 'net'>(kind: K, micros: bigint): Money<K> {
  return {
    [`${kind}_amount`]: amountToNumber(micros),
    [`${kind}_amount_exact`]: formatAmount(micros),
  } as Money<K>;
}
