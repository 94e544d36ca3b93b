import type { Lifecycle } from '../base/lifecycle.ts';
import type { Role } from '../config/settings.ts';
import { protocols } from '../protocols/index.ts';
import type { ProtocolHost } from '../protocols/protocol.ts';

export interface Addresses {
  /** `http://host:port` */
  readonly url: string;
  /** `host:port`; empty where gRPC is not served. */
  readonly grpcAddress: string;
}

/** What the roles serve. Routes first, then the listening sockets, so that no request meets half a hub. */
export async function startProtocols(
  host: ProtocolHost,
  roles: ReadonlySet<Role>,
  lifecycle: Lifecycle,
): Promise<Addresses> {
  let grpcAddress = '';
  for (const protocol of protocols) {
    if (protocol.role !== 'any' && !roles.has(protocol.role)) continue;
    const running = await protocol.start(host);
    lifecycle.add(protocol.name, () => running.stop());
    if (protocol.name === 'grpc') grpcAddress = running.address ?? '';
  }
  lifecycle.add('http', () => host.http.close());
  const address = await host.http.listen();
  const name = address.host.includes(':') ? `[${address.host}]` : address.host;
  return { url: `http://${name}:${address.port}`, grpcAddress };
}
