/** Which pages of other origins may read the answers of the hub, by `http.corsOrigins`. */
export interface Cors {
  allows(origin: string): boolean;
  /** What an answer to a request from this origin says besides; nothing where it may not read it. */
  answerHeaders(origin: string | undefined): CorsHeaders;
  /** What the answer to a browser's question before the request says, where `origin` is allowed. */
  preflightHeaders(allowedMethods: string): Readonly<Record<string, string>>;
  /** Whether answers differ by `Origin`, so that a cache must keep them apart. */
  readonly varies: boolean;
}

type CorsHeaders = Readonly<Record<string, string>>;

/** Undefined where no other origin is let in. Exact origins, or `*` alone. */
export function createCors(origins: readonly string[]): Cors | undefined {
  if (origins.length === 0) return undefined;
  const isOpen = origins.includes('*');
  const allowed = new Set(origins);
  const allows = (origin: string) => isOpen || allowed.has(origin);
  // Made once for each origin, so that no answer has to.
  const forOrigin = new Map<string, CorsHeaders>(
    origins.map((origin) => [
      origin,
      {
        'access-control-allow-origin': origin,
        'access-control-expose-headers': readableHeaders,
      },
    ]),
  );
  return {
    allows,
    answerHeaders: (origin) => {
      if (origin === undefined) return nothing;
      return forOrigin.get(isOpen ? '*' : origin) ?? nothing;
    },
    preflightHeaders: (allowedMethods) => ({
      'access-control-allow-methods': allowedMethods,
      'access-control-allow-headers': sendableHeaders,
      'access-control-max-age': String(preflightAgeS),
    }),
    varies: !isOpen,
  };
}

const nothing: CorsHeaders = {};

/** Request headers that the API takes beside those that any page may send. */
const sendableHeaders = [
  'authorization',
  'content-encoding',
  'content-type',
  'idempotency-key',
  'last-event-id',
  'traceparent',
  'x-api-key',
  'x-request-id',
].join(', ');

/** Headers of answers that the API gives beside those that any page may read. */
const readableHeaders = [
  'link',
  'location',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'x-request-id',
].join(', ');

/** How long a browser may go without asking again: the longest that all of them keep to. */
const preflightAgeS = 600;
