import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { get, type RequestOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';

export interface SecureAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Of the certificate that the hub has shown. */
  readonly commonName: string;
}

/** The answer over TLS, on a connection of its own. */
export async function secureGet(url: string, tls: RequestOptions): Promise<SecureAnswer> {
  const response = await openSecure(url, tls);
  const { CN } = (response.socket as TLSSocket).getPeerCertificate().subject;
  const text = (await response.toArray()).join('');
  const { statusCode: status, headers } = response;
  return { status, headers, text, commonName: String(CN) };
}

/** The head of the answer; its body is read by whoever asked. */
export function openSecure(url: string, tls: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, ...tls }, resolve).on('error', reject);
  });
}
