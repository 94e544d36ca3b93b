import { type ErrorCode, HubError, invalid } from '../../../base/errors.ts';
import { errorTable } from '../../error-table.ts';
import { problemOf } from '../../http/problem.ts';
import { ref, responseName, statusesOfErrors } from './parts.ts';

/** A problem document for each status, with an example for each code. */
export function errorResponses() {
  const responses = [...statusesOfErrors()].map(([status, codes]) => [
    responseName(status),
    {
      description: codes.map((code) => `\`${code}\`: ${errorTable[code].title}.`).join(' '),
      ...headersOf(codes),
      content: {
        'application/problem+json': {
          schema: ref('Problem'),
          examples: Object.fromEntries(codes.map((code) => [code, { value: example(code) }])),
        },
      },
    },
  ]);
  return Object.fromEntries(responses);
}

function headersOf(codes: readonly ErrorCode[]) {
  if (codes.includes('unauthenticated')) return { headers: challenge };
  if (!codes.some((code) => errorTable[code].retryable)) return {};
  const headers = codes.includes('rate_limited') ? { ...retryAfter, ...rateLimit } : retryAfter;
  return { headers };
}

const challenge = {
  'WWW-Authenticate': { description: '`Bearer`', schema: { type: 'string' } },
};

const retryAfter = {
  'Retry-After': { description: 'Seconds until a retry makes sense.', schema: { type: 'integer' } },
};

const rateLimit = {
  'RateLimit-Policy': {
    description:
      'Each limit that holds for the caller, also on other answers: `q` requests (or `qu`) in `w` seconds. Absent where the hub has none.',
    schema: { type: 'string' },
    example: '"account-requests";q=200;w=2, "account-events";q=2000;w=2;qu="events"',
  },
  RateLimit: {
    description: 'What is left of each, `r`, and the seconds until nothing of it is used, `t`.',
    schema: { type: 'string' },
    example: '"account-requests";r=0;t=2, "account-events";r=1200;t=1',
  },
};

function example(code: ErrorCode) {
  if (code === 'invalid') {
    const detail = 'amount must be a number or a decimal string, such as 150.75 or "150.75"';
    return problemOf(invalid('/amount', 'amount_format', detail));
  }
  return problemOf(new HubError(code, details[code]));
}

const details: Readonly<Record<Exclude<ErrorCode, 'invalid'>, string>> = {
  unreadable: 'the body is empty: send an event',
  too_large: 'the body is longer than 8388608 bytes: send less at once',
  unsupported_media_type:
    'the request names no media type: add the header "Content-Type: application/json", or application/x-ndjson, in UTF-8',
  method_not_allowed: 'only GET, HEAD, POST may be used here',
  unauthenticated:
    'a credential is needed here: send `Authorization: Bearer KEY`, or `X-API-Key: KEY`',
  forbidden: 'key shop may not do this: it lacks the scope events:read',
  not_found: 'there is no event with this id',
  conflict: 'the id is taken by an event with other content',
  position_gone: 'the position is gone from the log',
  rate_limited:
    'too many requests from this account: at most 100 a second, 200 at once; nothing of this one was done, and it will be taken in 1 s',
  overloaded: 'too many events wait for the log; nothing was stored',
  unavailable: 'the log cannot be written now',
  slow_reader: 'the stream was not read for 10 s',
  internal: 'the hub failed; the reason is in its log',
};
