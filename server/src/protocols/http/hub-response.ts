import {
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http';
import type { Cors } from './cors.ts';

/**
 * What every answer says to browsers, whatever it is: take it for what it is
 * called, let no page frame it or load it from elsewhere, name no hub to others.
 * A page has a policy of its own in place of the one here.
 */
export const safetyHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

export interface HubResponseOptions {
  /** Whether the answers go out over TLS. */
  readonly secure: boolean;
  readonly cors: Cors | undefined;
}

/**
 * The one place that adds what all answers have in common, so that no route
 * can forget it. A head is given as an object, or as a flat list of names and
 * values where it must be quick; such a list must repeat nothing of the above.
 */
export function hubResponseClass({ secure, cors }: HubResponseOptions): typeof ServerResponse {
  const common: Readonly<Record<string, string>> = {
    ...safetyHeaders,
    ...(secure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
    ...(cors === undefined ? {} : { 'cross-origin-resource-policy': 'cross-origin' }),
  };
  const commonList = Object.entries(common).flat();

  return class HubResponse<
    Request extends IncomingMessage = IncomingMessage,
  > extends ServerResponse<Request> {
    override writeHead(status: number, headers?: unknown): this {
      const extra = cors?.answerHeaders(this.req.headers.origin);
      if (Array.isArray(headers)) {
        const list = [...(headers as OutgoingHttpHeader[]), ...commonList];
        if (extra !== undefined) list.push(...Object.entries(extra).flat());
        if (cors?.varies) list.push('vary', 'origin');
        return super.writeHead(status, list);
      }
      const given = headers as OutgoingHttpHeaders | undefined;
      if (cors === undefined) return super.writeHead(status, { ...common, ...given });
      const vary = cors.varies ? { vary: withOrigin(given?.vary) } : {};
      return super.writeHead(status, { ...common, ...given, ...extra, ...vary });
    }
  };
}

function withOrigin(vary: OutgoingHttpHeader | undefined): string {
  return vary === undefined ? 'origin' : `${vary}, origin`;
}
