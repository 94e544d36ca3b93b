import type { IncomingMessage } from 'node:http';
import { HubError } from '../../base/errors.ts';
import { idFault } from '../../event/field-rules.ts';
import { headerValues } from '../http/request-header.ts';

/** The header `Idempotency-Key`, quoted or bare, in the characters of an id. Throws `unreadable` for anything else. */
export function idempotencyKeyOf(request: IncomingMessage): string | undefined {
  const values = headerValues(request, 'idempotency-key');
  if (values.length === 0) return undefined;
  if (values.length > 1) throw badKey('it came more than once: send it once');
  const key = values[0]?.replace(/^"(.*)"$/, '$1') ?? '';
  const fault = idFault(key, 'the key');
  if (fault !== undefined) throw badKey(fault.detail);
  return key;
}

/** The input with the key as its id. Throws `unreadable` when the body says another id. */
export function withIdempotencyKey(input: unknown, key: string): unknown {
  if (typeof input !== 'object' || input === null) return input;
  const id = 'id' in input ? input.id : undefined;
  if (id === undefined || id === null) return { ...input, id: key };
  if (typeof id !== 'string' || id === key) return input;
  throw badKey("it differs from the event's id: send one of them, or both alike");
}

export function badKey(fault: string): HubError {
  const detail = `Idempotency-Key: ${fault}`;
  return new HubError('unreadable', detail, {
    details: [{ pointer: '', code: 'idempotency_key', detail }],
  });
}
