import { createGraphqlDriver } from './graphql-driver.ts';
import { createGrpcDriver } from './grpc-driver.ts';
import type { ProtocolDriver, Shown } from './protocol-driver.ts';
import { createRestDriver } from './rest-driver.ts';

/** A hub that somebody runs. */
export interface HubAddress {
  /** `http://host:port` */
  readonly url: string;
  /** `host:port` */
  readonly grpcAddress: string;
}

export interface Drivers {
  readonly rest: ProtocolDriver;
  readonly graphql: ProtocolDriver;
  readonly grpc: ProtocolDriver;
  /** The three. */
  readonly all: readonly ProtocolDriver[];
  /** Every transport of the live feed: five. */
  readonly feeds: readonly ProtocolDriver[];
  close(): Promise<void>;
}

/** `shown` is a credential, as headers, metadata and `connection_init` alike carry it. */
export function openDrivers({ url, grpcAddress }: HubAddress, shown: Shown = {}): Drivers {
  const rest = createRestDriver(url, 'sse', shown);
  const graphql = createGraphqlDriver(url, 'ws', shown);
  const grpc = createGrpcDriver(grpcAddress, shown);
  const all = [rest, graphql, grpc];
  const feeds = [
    ...all,
    createRestDriver(url, 'ndjson', shown),
    createGraphqlDriver(url, 'sse', shown),
  ];
  return {
    rest,
    graphql,
    grpc,
    all,
    feeds,
    close: async () => {
      for (const each of all) await each.close();
    },
  };
}
