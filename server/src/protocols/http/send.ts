import type { OutgoingHttpHeaders } from 'node:http';
import { limits } from '../../base/limits.ts';
import type { Exchange } from './http-server.ts';
import { createStreamWriter } from './write-stream.ts';

/** An answer of the API: never cached. */
export function sendJson(
  exchange: Exchange,
  status: number,
  json: string,
  headers: OutgoingHttpHeaders = {},
): void {
  send(exchange, status, 'application/json', json, { 'cache-control': 'no-store', ...headers });
}

/** A whole answer of any kind. A client that does not read a long one is cut. */
export function send(
  exchange: Exchange,
  status: number,
  contentType: string,
  content: string | Buffer,
  headers: OutgoingHttpHeaders = {},
): void {
  const body = typeof content === 'string' ? Buffer.from(content) : content;
  exchange.response.writeHead(status, {
    'content-type': contentType,
    'content-length': body.length,
    ...headers,
  });
  if (body.length <= limits.answerPieceBytes) exchange.response.end(body);
  else void sendInPieces(exchange, body);
}

/** No faster than it is read, so that one sees whether it is. */
async function sendInPieces({ response, clock }: Exchange, body: Buffer): Promise<void> {
  const writer = createStreamWriter(response, clock);
  try {
    for (let at = 0; at < body.length; at += limits.answerPieceBytes) {
      await writer.write(body.subarray(at, at + limits.answerPieceBytes));
    }
    writer.end();
  } catch {
    // Its reader has been cut.
  }
}

export interface PageOptions {
  /** For pages of packages that style their elements one by one. Scripts are never inline. */
  readonly inlineStyles?: boolean;
}

/** A page that may load and ask nothing but this hub. */
export function sendPage(
  exchange: Exchange,
  html: string,
  { inlineStyles = false }: PageOptions = {},
): void {
  send(exchange, 200, 'text/html; charset=utf-8', html, {
    'cache-control': 'no-cache',
    'content-security-policy': inlineStyles ? policyWithInlineStyles : strictPolicy,
  });
}

const strictPolicy = pagePolicy("'self'");
const policyWithInlineStyles = pagePolicy("'self' 'unsafe-inline'");

function pagePolicy(styles: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${styles}`,
    "connect-src 'self'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}
