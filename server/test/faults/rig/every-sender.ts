import type { HubAddress } from './hub-process.ts';
import { graphqlSender } from './senders/graphql-sender.ts';
import { grpcSender, grpcStreamSender } from './senders/grpc-sender.ts';
import { restSender } from './senders/rest-sender.ts';
import type { Sender } from './senders/sender.ts';

/** Every way in which the hub takes events. */
export function everySender({ url, grpcAddress }: HubAddress): readonly Sender[] {
  return [
    restSender(url, 'single'),
    restSender(url, 'array'),
    restSender(url, 'ndjson'),
    graphqlSender(url, 'single'),
    graphqlSender(url, 'batch'),
    grpcSender(grpcAddress, 'unary'),
    grpcSender(grpcAddress, 'batch'),
    grpcStreamSender(grpcAddress),
  ];
}
