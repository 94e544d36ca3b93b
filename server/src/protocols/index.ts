import { docsProtocol } from './docs/index.ts';
import { graphqlProtocol } from './graphql/index.ts';
import { grpcProtocol } from './grpc/index.ts';
import { metricsProtocol } from './metrics/index.ts';
import type { Protocol } from './protocol.ts';
import { restProtocol } from './rest/index.ts';

/** Started in this order, stopped in reverse. A new protocol is one folder, one line here and one short test file. */
export const protocols: readonly Protocol[] = [
  restProtocol,
  graphqlProtocol,
  metricsProtocol,
  docsProtocol,
  grpcProtocol,
];
