import type { IncomingMessage } from 'node:http';
import type { Caller } from '../../hub.ts';
import type { ProtocolHost } from '../protocol.ts';
import { refuseForeignHost } from './foreign-host.ts';
import { countedAs } from './rate-limit-headers.ts';
import { presentedBy } from './request-header.ts';

/** Who sent the request. Fails as `Identify` says. Where rates are limited, its answer says what is left. */
export function identifyRequest(
  host: ProtocolHost,
  request: IncomingMessage,
): Caller | Promise<Caller> {
  const found = identify(host, request);
  if (host.anyHostName) return found;
  const checked = (caller: Caller) => {
    refuseForeignHost(caller, request);
    return caller;
  };
  return found instanceof Promise ? found.then(checked) : checked(found);
}

function identify(host: ProtocolHost, request: IncomingMessage): Caller | Promise<Caller> {
  const address = host.http.clientAddress(request);
  if (host.rateLimits === undefined) return host.identify(presentedBy(request), address);
  const counted = countedAs(request, address);
  return host.identify(presentedBy(request), address, (caller) => {
    counted.caller = caller;
  });
}
