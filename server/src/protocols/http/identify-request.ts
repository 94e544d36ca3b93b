import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../hub.ts';
import type { ProtocolHost } from '../protocol.ts';
import { presentedBy } from './request-header.ts';

/** Who sent the request. Fails as `Identify` says. */
export function identifyRequest(
  host: ProtocolHost,
  request: IncomingMessage,
): Caller | Promise<Caller> {
  return host.identify(presentedBy(request), host.http.clientAddress(request));
}
