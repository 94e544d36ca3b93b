import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { plainAddress } from '../../base/address-range.ts';

/** Whether an address is that of a proxy of ours. */
export type TrustedProxies = (address: string) => boolean;

/**
 * Who asks, as an IP address; empty when the connection is gone already. That
 * is the other end of the connection, unless a trusted proxy is there: then it
 * is the last hop in `X-Forwarded-For` that is no trusted proxy. What stands in
 * front of that hop was written by the client, and is never believed; nor is
 * any other header that says where a request comes from.
 */
export function clientAddress(
  request: Pick<IncomingMessage, 'headers' | 'socket'>,
  trusted: TrustedProxies | undefined,
): string {
  const { remoteAddress } = request.socket;
  if (remoteAddress === undefined) return '';
  let nearest = plainAddress(remoteAddress);
  const forwarded = request.headers['x-forwarded-for'];
  if (trusted === undefined || forwarded === undefined || !trusted(nearest)) return nearest;
  const hops = (Array.isArray(forwarded) ? forwarded.join() : forwarded).split(',');
  for (const hop of hops.toReversed()) {
    const address = addressOfHop(hop);
    // A proxy that names no address is the last that is known of the way.
    if (address === undefined) return nearest;
    nearest = address;
    if (!trusted(address)) return address;
  }
  return nearest;
}

/** Of `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:4711`. */
function addressOfHop(hop: string): string | undefined {
  const text = hop.trim();
  const [, bracketed, withPort] =
    /^(?:\[([^\]]+)\](?::\d{1,5})?|([^:]+):\d{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? withPort ?? text;
  const version = isIP(address);
  if (version === 0 || (bracketed !== undefined && version === 4)) return undefined;
  return plainAddress(address);
}
