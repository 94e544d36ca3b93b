import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Caller, Quota, RateLimits } from '../../hub.ts';

/** By whom a request is counted. */
interface Counted {
  readonly address: string;
  /** Once the credential held. */
  caller: Caller | undefined;
}

type Response = typeof ServerResponse<IncomingMessage>;

/** Of each request whose sender was asked for, until it is gone: an answer only knows its request. */
const counted = new WeakMap<IncomingMessage, Counted>();

export function countedAs(request: IncomingMessage, address: string): Counted {
  const found: Counted = { address, caller: undefined };
  counted.set(request, found);
  return found;
}

/**
 * Answers that say what is left of each limit when their head is written, in
 * `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10).
 */
export function withRateLimitHeaders(base: Response, rateLimits: RateLimits): Response {
  return class extends base {
    override writeHead(status: number, head?: unknown): this {
      const asked = counted.get(this.req);
      const added = asked && headersOf(rateLimits.quotas(asked.address, asked.caller));
      if (added === undefined) return super.writeHead(status, head as OutgoingHttpHeaders);
      if (!Array.isArray(head)) return super.writeHead(status, { ...added, ...(head as object) });
      return super.writeHead(status, [...head, ...Object.entries(added).flat()]);
    }
  };
}

/** `"account-requests";q=20;w=2` and `"account-requests";r=17;t=1`, a list member for each limit. */
function headersOf(quotas: readonly Quota[]): Record<string, string> | undefined {
  if (quotas.length === 0) return undefined;
  return {
    'ratelimit-policy': quotas.map(policyOf).join(', '),
    ratelimit: quotas.map(({ name, left, resetS }) => `"${name}";r=${left};t=${resetS}`).join(', '),
  };
}

/** The unit is said where it is not the draft's own, the request. */
function policyOf({ name, unit, quota, windowS }: Quota): string {
  return `"${name}";q=${quota};w=${windowS}${unit === 'requests' ? '' : `;qu="${unit}"`}`;
}
