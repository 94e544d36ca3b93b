import { canonicalJson, InexactNumber, isJsonArray, type Json } from '../../base/json.ts';
import { formatAmount, parseAmount } from '../../event/money.ts';
import { structFromText } from '../../protocols/grpc/struct.ts';
import { ClientError } from './ingest-client.ts';
import type { OutgoingEvent } from './outgoing-event.ts';

/**
 * The event as an EventRequest. What this message cannot hold (a field it does
 * not have, a value of another type) is refused here as the hub refuses it on
 * REST: `invalid`. Throws ClientError.
 */
export function grpcRequestOf({ fields }: OutgoingEvent): object {
  const request: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) continue;
    if (textFields.has(name)) request[name] = textOf(name, value);
    else if (name === 'amount') setAmount(request, value);
    else if (name === 'metadata') request.metadata = structOf(value);
    else throw refused(`${name} is no field of an event: remove it, or put it into metadata`);
  }
  return request;
}

const textFields = new Set(['id', 'user_id', 'event_type', 'currency', 'timestamp']);

function textOf(name: string, value: Json): string {
  if (typeof value !== 'string') throw refused(`${name} must be a string`);
  if (!value.isWellFormed())
    throw refused(`${name} has half a surrogate pair: send whole characters`);
  return value;
}

function setAmount(request: Record<string, unknown>, value: Json): void {
  if (typeof value === 'number') request.amount = value;
  else if (typeof value === 'string') request.amount_exact = textOf('amount', value);
  else {
    // A number that no double holds, or no amount at all: judged as the hub does.
    const amount = parseAmount(value);
    if (typeof amount !== 'bigint') throw refused(amount.detail);
    request.amount_exact = formatAmount(amount);
  }
}

function structOf(value: Json): object {
  if (typeof value !== 'object' || value === null || isJsonArray(value)) {
    throw refused('metadata must be a JSON object');
  }
  checkNumbers(value);
  return structFromText(canonicalJson(value));
}

/** A Struct holds doubles and UTF-8 only. */
function checkNumbers(value: Json): void {
  if (value instanceof InexactNumber) {
    throw refused(`metadata: ${value.source} changes its value as a double: send it as a string`);
  }
  if (typeof value === 'string') textOf('metadata', value);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    textOf('metadata', key);
    checkNumbers(member as Json);
  }
}

function refused(message: string): ClientError {
  return new ClientError(message, { code: 'invalid', retryable: false });
}
