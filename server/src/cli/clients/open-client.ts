import type { ConnectionOptions } from 'node:tls';
import type { IngestClient } from './ingest-client.ts';
import { withSplitting } from './splitting-client.ts';

export const protocols = ['rest', 'graphql', 'grpc'] as const;
export type ClientProtocol = (typeof protocols)[number];

export interface HubAddress {
  readonly url: string;
  readonly grpcUrl: string;
  /** An API key or a token; undefined for a hub that asks for none. */
  readonly credential: string | undefined;
  /** A client's certificate and key; undefined for a hub that asks for none. */
  readonly tls?: ConnectionOptions | undefined;
}

/** The libraries of a protocol load only when it is spoken. */
export async function openClient(
  protocol: ClientProtocol,
  address: HubAddress,
  connections: number,
): Promise<IngestClient> {
  if (protocol === 'rest') {
    const { RestClient } = await import('./rest-client.ts');
    return withSplitting(new RestClient(address, connections));
  }
  if (protocol === 'graphql') {
    const { GraphqlClient } = await import('./graphql-client.ts');
    return withSplitting(new GraphqlClient(address, connections));
  }
  const { GrpcClient } = await import('./grpc-client.ts');
  return withSplitting(new GrpcClient(address));
}
