import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import { HubError } from '../../base/errors.ts';
import { anonymousAccount, type Caller } from '../../hub.ts';

/**
 * A hub that serves everybody on this machine must not serve the pages of the
 * web: one whose name is made to lead to 127.0.0.1 (DNS rebinding) is of the
 * same origin for its browser. Such a name has a dot and is no address. Throws
 * `forbidden` for a caller without a credential that came by one.
 */
export function refuseForeignHost(caller: Caller, { headers }: IncomingMessage): void {
  if (caller.account !== anonymousAccount || !isForeign(headers.host)) return;
  throw new HubError(
    'forbidden',
    'without a credential this hub is only for this machine, by localhost or 127.0.0.1: make a key, or set EVENT_HUB_ALLOW_ANONYMOUS=true',
  );
}

function isForeign(host: string | undefined): boolean {
  const name = host?.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase() ?? '';
  return name.includes('.') && !isIPv4(name) && !name.endsWith('.localhost');
}
