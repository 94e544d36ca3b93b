import type { OutgoingHttpHeaders } from 'node:http';
import type { Exchange } from './http-server.ts';

/** An answer of the API: never cached, never sniffed. */
export function sendJson(
  exchange: Exchange,
  status: number,
  json: string,
  headers: OutgoingHttpHeaders = {},
): void {
  send(exchange, status, 'application/json', json, { 'cache-control': 'no-store', ...headers });
}

/** An answer of any kind, in one piece. */
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
    'x-content-type-options': 'nosniff',
    'content-length': body.length,
    ...headers,
  });
  exchange.response.end(body);
}

/** A page that may load and ask nothing but this hub. */
export function sendPage(exchange: Exchange, html: string): void {
  send(exchange, 200, 'text/html; charset=utf-8', html, {
    'cache-control': 'no-cache',
    'content-security-policy': contentSecurityPolicy,
    'referrer-policy': 'no-referrer',
  });
}

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');
