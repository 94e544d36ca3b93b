import assert from 'node:assert';
import {
  logVerbosity,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  setLogVerbosity,
} from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { nobody } from '../../hub.ts';
import { formatAddress } from '../http/format-address.ts';
import type { ProtocolHost, RunningProtocol } from '../protocol.ts';
import { loadContracts } from './contracts.ts';
import { feedMethod } from './feed.ts';
import { guardSessions, limitResets } from './guard-sessions.ts';
import { healthMethods } from './health.ts';
import { ingestMethods } from './ingest.ts';
import { readMethods } from './reads.ts';
import { reflectionMethods } from './reflection.ts';
import { createStatusOf } from './rpc-status.ts';
import type { CallHost, Method } from './served-call.ts';
import { TlsCredentials } from './tls-credentials.ts';

const serviceName = 'event_hub.v1.EventService';

/** Listens on `host.grpc`. Rejects with `invalid`, naming the address, when it cannot. */
export async function startGrpcServer(host: ProtocolHost): Promise<RunningProtocol> {
  // What grpc-js says of a taken port is said by us, with the setting to change.
  setLogVerbosity(logVerbosity.NONE);
  const contracts = loadContracts();
  const { clock, hub, identify, logger, stopping, telemetry, tls, tracing } = host;
  const statusOf = createStatusOf(contracts);
  const calls: CallHost = { clock, logger, tracing, identify, statusOf, stopping };
  const service = `/${serviceName}`;
  const server = createServer([
    ...ingestMethods(calls, hub, contracts, service),
    feedMethod(calls, hub, telemetry, contracts, service),
    ...readMethods(calls, hub, contracts, service),
    // Open, as orchestrators carry no credential.
    ...healthMethods({ ...calls, identify: () => nobody }, hub, contracts, [serviceName]),
    ...reflectionMethods(calls, contracts),
  ]);
  limitResets(server);
  const credentials = tls ? new TlsCredentials(tls) : ServerCredentials.createInsecure();
  const port = await listen(server, host.grpc, credentials);
  const stopGuard = guardSessions(server, clock, host.grpc.connectionsMax);
  let stopped: Promise<void> | undefined;
  return {
    address: formatAddress({ host: host.grpc.host, port }),
    stop: () => {
      stopped ??= stop(server, clock).finally(stopGuard);
      return stopped;
    },
  };
}

function createServer(methods: readonly Method[]): Server {
  const byPath = new Map(methods.map((method) => [method.path, method]));
  /** Every call is taken here, before grpc-js puts a stream around it. */
  const take: ServerInterceptor = (definition, call) => {
    const method = byPath.get(definition.path);
    if (method === undefined) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, { start: () => method.serve(call) });
  };
  const server = new Server({
    interceptors: [take],
    'grpc.max_receive_message_length': limits.grpcMessageBytes,
    'grpc.max_send_message_length': limits.grpcMessageBytes,
    'grpc.max_concurrent_streams': limits.grpcConcurrentStreams,
    'grpc.keepalive_time_ms': limits.grpcKeepaliveMs,
    'grpc.keepalive_timeout_ms': limits.grpcKeepaliveTimeoutMs,
    'grpc.max_connection_idle_ms': limits.grpcIdleMs,
    'grpc-node.max_session_memory': limits.grpcSessionMegabytes,
    'grpc.enable_channelz': 0,
  });
  for (const { path, kind, decode } of methods) {
    server.register(path, taken, encoded, decode, kind);
  }
  return server;
}

const taken = (): void => assert.fail('every call is taken by the interceptor');
const encoded = (answer: Buffer): Buffer => answer;

function listen(
  server: Server,
  place: { readonly host: string; readonly port: number },
  credentials: ServerCredentials,
): Promise<number> {
  const address = formatAddress(place);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => {
      if (error === null) return resolve(bound);
      server.forceShutdown();
      const why = error.message.includes('EADDRINUSE')
        ? 'is taken: set EVENT_HUB_GRPC_PORT to another port, or to 0 for any free one'
        : 'cannot be listened on: check EVENT_HUB_GRPC_HOST and EVENT_HUB_GRPC_PORT';
      reject(new HubError('invalid', `the gRPC address ${address} ${why}`, { cause: error }));
    });
  });
}

/** Calls under way end by themselves; those that do not are cut. */
function stop(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(limits.grpcDrainMs, () => server.forceShutdown());
    server.tryShutdown(() => {
      cancel();
      resolve();
    });
  });
}
