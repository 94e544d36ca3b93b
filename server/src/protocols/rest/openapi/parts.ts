import { type ErrorCode, errorCodes } from '../../../base/errors.ts';
import { errorTable } from '../../error-table.ts';

/** A schema by its name in the document. */
export function ref(name: string) {
  return { $ref: `#/components/schemas/${name}` };
}

export function json(description: string, schema: object, headers?: object) {
  return {
    description,
    ...(headers === undefined ? {} : { headers }),
    content: { 'application/json': { schema } },
  };
}

/** The answers for these codes, by status. */
export function problems(...codes: readonly ErrorCode[]) {
  const entries = codes.map((code) => [
    String(errorTable[code].http),
    { $ref: `#/components/responses/${responseName(errorTable[code].http)}` },
  ]);
  return Object.fromEntries(entries);
}

/** Every call may meet these. */
export const always = [
  'unreadable',
  'unauthenticated',
  'forbidden',
  'invalid',
  'rate_limited',
  'unavailable',
  'internal',
] as const satisfies readonly ErrorCode[];

/** A credential with this scope, shown in either way; asked for once a key was made or a token issuer named. */
export function needs(scope: string) {
  return { security: [{ bearer: [scope] }, { apiKey: [scope] }] };
}

/** For everybody. */
export const open = { security: [] };

export function securitySchemes() {
  return {
    bearer: {
      type: 'http',
      scheme: 'bearer',
      description:
        'An API key (`event-hub keys create`) or a token of the configured issuer: `Authorization: Bearer KEY`.',
    },
    apiKey: {
      type: 'apiKey',
      in: 'header',
      name: 'X-API-Key',
      description: 'The same. One of the two in one request, and never in a URL.',
    },
  };
}

export function responseName(status: number): string {
  return `Problem${status}`;
}

export function statusesOfErrors(): ReadonlyMap<number, readonly ErrorCode[]> {
  const statuses = new Map<number, ErrorCode[]>();
  for (const code of errorCodes) {
    const status = errorTable[code].http;
    statuses.set(status, [...(statuses.get(status) ?? []), code]);
  }
  return statuses;
}

interface QueryParameter {
  readonly example?: string | number | boolean;
  readonly repeatable?: boolean;
}

export function query(
  name: string,
  schema: object,
  description: string,
  { example, repeatable = false }: QueryParameter = {},
) {
  return {
    name,
    in: 'query',
    description,
    schema: repeatable ? { type: 'array', items: schema } : schema,
    ...(repeatable ? { style: 'form', explode: true } : {}),
    ...(example === undefined ? {} : { example }),
  };
}

/** The filter's parameters, alike on listings, streams and aggregates. */
export function filterParameters() {
  return [
    query('user_id', ref('UserId'), 'Only these users. May repeat.', { repeatable: true }),
    query('event_type', ref('EventType'), 'Only these types. May repeat.', { repeatable: true }),
    query('currency', ref('Currency'), 'Only this currency.'),
  ];
}

export function atLeast() {
  const text =
    'A position from an earlier answer: waits up to 5 s until it is in, else 503. So a reader sees its own writes.';
  return query('at_least', ref('Position'), text);
}
