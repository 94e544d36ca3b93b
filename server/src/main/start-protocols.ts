import type { Lifecycle } from '../base/lifecycle.ts';
import type { Role } from '../config/settings.ts';
import { formatAddress } from '../protocols/http/format-address.ts';
import { protocols } from '../protocols/index.ts';
import type { ProtocolHost } from '../protocols/protocol.ts';

export interface Addresses {
  /** `http://host:port`, or `https:` with TLS. */
  readonly url: string;
  /** `host:port`; empty where gRPC is not served. */
  readonly grpcAddress: string;
  /** `http://host:port`; empty where metrics have no port of their own. */
  readonly metricsUrl: string;
}

/** What the roles serve. Routes first, then the listening sockets, so that no request meets half a hub. */
export async function startProtocols(
  host: ProtocolHost,
  roles: ReadonlySet<Role>,
  lifecycle: Lifecycle,
): Promise<Addresses> {
  const addresses = new Map<string, string>();
  for (const protocol of protocols) {
    if (protocol.role !== 'any' && !roles.has(protocol.role)) continue;
    const running = await protocol.start(host);
    lifecycle.add(protocol.name, () => running.stop());
    if (running.address !== undefined) addresses.set(protocol.name, running.address);
  }
  lifecycle.add('http', () => host.http.close());
  const address = await host.http.listen();
  const metrics = addresses.get('metrics');
  const scheme = host.tls === undefined ? 'http' : 'https';
  return {
    url: `${scheme}://${formatAddress(address)}`,
    grpcAddress: addresses.get('grpc') ?? '',
    metricsUrl: metrics === undefined ? '' : `${scheme}://${metrics}`,
  };
}
