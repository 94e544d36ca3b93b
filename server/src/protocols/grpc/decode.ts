import { HubError, invalid } from '../../base/errors.ts';
import { amountToNumber, parseAmount } from '../../event/money.ts';
import type { FilterRequest } from '../../hub.ts';
import type { EventRequest, FilterMessage } from './messages.ts';
import { structToJson } from './struct.ts';

/**
 * The event as the hub's validation takes it, under the API's names: only what
 * was set, so that an empty text of an `optional` field is refused like REST's
 * `""`. A failure comes back as a HubError, which the hub takes as a refused item.
 */
export function toEventInput(request: EventRequest): object {
  const input: Record<string, unknown> = {};
  if (request.user_id !== '') input.user_id = request.user_id;
  if (request.event_type !== '') input.event_type = request.event_type;
  if (request.timestamp !== null) input.timestamp = request.timestamp;
  if (request.id !== null) input.id = request.id;
  if (request.currency !== null) input.currency = request.currency;
  try {
    const amount = amountOf(request);
    if (amount !== null) input.amount = amount;
    if (request.metadata !== null) input.metadata = structToJson(request.metadata);
  } catch (reason) {
    return HubError.from(reason);
  }
  return input;
}

/** Text that was not set is absent: on a plain proto3 field that is the same as empty. */
export function textOf(text: string): string | undefined {
  return text === '' ? undefined : text;
}

export function toFilter(filter: FilterMessage | null): FilterRequest {
  if (filter === null) return {};
  return {
    ...(filter.user_id.length === 0 ? {} : { user_id: filter.user_id }),
    ...(filter.event_type.length === 0 ? {} : { event_type: filter.event_type }),
    currency: textOf(filter.currency),
  };
}

/** The exact one where both are set; the double beside it must be its nearest. */
function amountOf({ amount, amount_exact: exact }: EventRequest): number | string | null {
  if (exact === null) return amount;
  const parsed = parseAmount(exact);
  if (amount !== null && typeof parsed === 'bigint' && amountToNumber(parsed) !== amount) {
    throw invalid(
      '/amount_exact',
      'amount_mismatch',
      `amount is ${amount} and amount_exact is ${exact}: send one of them, or the same in both`,
    );
  }
  return exact;
}
