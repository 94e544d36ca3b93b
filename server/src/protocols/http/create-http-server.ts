import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { type AddressRange, addressList } from '../../base/address-range.ts';
import type { Clock } from '../../base/clock.ts';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Logger } from '../../base/logger.ts';
import type { Telemetry } from '../../base/telemetry.ts';
import { secureContextOf, type TlsSource, tlsServerOptions } from '../../base/tls-source.ts';
import type { RateLimits } from '../../hub.ts';
import { answerBrokenRequests } from './broken-requests.ts';
import { clientAddress } from './client-address.ts';
import { createCors } from './cors.ts';
import { createDispatcher, withoutOrigin } from './dispatcher.ts';
import type { HttpServer } from './http-server.ts';
import { hubResponseClass } from './hub-response.ts';
import { rawProblem, writeProblem } from './problem.ts';
import { withRateLimitHeaders } from './rate-limit-headers.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { createRouter } from './router.ts';
import { takeBacklog } from './take-backlog.ts';
import { type UnusedConnections, unusedConnections } from './unused-connections.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  /** Which answers tell what is left of it; undefined where nothing is limited. */
  readonly rateLimits?: RateLimits | undefined;
  /** Absent for plain HTTP. */
  readonly tls?: TlsSource | undefined;
  readonly trustedProxies?: readonly AddressRange[];
  readonly corsOrigins?: readonly string[];
  /** For tests of slow and many clients; what is absent is as in `limits`. */
  readonly edge?: Partial<EdgeLimits> | undefined;
}

/** How long a client may take, and how many there may be. */
export type EdgeLimits = Record<
  | 'headersTimeoutMs'
  | 'requestTimeoutMs'
  | 'keepAliveTimeoutMs'
  | 'connectionsCheckingIntervalMs'
  | 'connectionsMax',
  number
>;

/** The one HTTP server of the hub, on bare `node:http`: see docs/decisions/0002-http-without-a-framework.md. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { host, port, clock, logger, rateLimits, tls } = options;
  const router = createRouter();
  const upgrades = new Map<string, Upgrade>();
  const cors = createCors(options.corsOrigins ?? []);
  const proxies = options.trustedProxies ?? [];
  const trusted = proxies.length === 0 ? undefined : addressList(proxies);
  const HubResponse = hubResponseClass({ secure: tls !== undefined, cors });
  const server = openServer(
    {
      ...edgeOptions({ ...limits, ...options.edge }),
      ServerResponse:
        rateLimits === undefined ? HubResponse : withRateLimitHeaders(HubResponse, rateLimits),
      shouldUpgradeCallback: (request: IncomingMessage) =>
        request.headers.upgrade?.toLowerCase() === 'websocket' && upgrades.has(pathOf(request)),
    },
    tls,
  );
  server.maxConnections = options.edge?.connectionsMax ?? limits.connectionsMax;
  // One more than allowed, so that one too many is seen instead of left out.
  server.maxHeadersCount = limits.headerCount + 1;

  let closing: Promise<void> | undefined;
  const unused = unusedConnections(server);
  const noteAnswering = answerBrokenRequests(server);
  const dispatch = createDispatcher({ ...options, router, cors });
  const take = (request: IncomingMessage, response: ServerResponse) => {
    unused.used(request.socket);
    noteAnswering(request, response);
    if (closing !== undefined) response.shouldKeepAlive = false;
    dispatch(request, response);
  };
  server.on('request', take);
  server.on('checkContinue', take);
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    noteAnswering(request, response);
    const error = new HubError('unreadable', 'the header Expect asks for what the hub cannot do');
    writeProblem(request, response, clock, error, { status: 417 });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const upgrade = upgrades.get(pathOf(request));
    if (upgrade !== undefined && closing === undefined) upgrade(request, socket, head);
    else refuseUpgrade(socket, rawProblem(stopping(), 503, 'Service Unavailable'));
  });

  return {
    route: (method, path, handler) => router.add(method, path, handler),
    upgrade: (path, handler) => {
      upgrades.set(path, handler);
    },
    allowsOrigin: (origin) => cors?.allows(origin) ?? false,
    clientAddress: (request) => clientAddress(request, trusted),
    listen: async () => {
      await listening(server, host, port);
      server.on('error', (err) => logger.error({ err }, 'the HTTP server failed'));
      const address = server.address();
      return { host, port: typeof address === 'object' && address !== null ? address.port : port };
    },
    close: () => {
      closing ??= closed(server, unused, clock);
      return closing;
    },
  };
}

type Upgrade = Parameters<HttpServer['upgrade']>[1];

/** Over TLS it is the same server, and new certificates reach it while it runs. */
function openServer(
  options: Parameters<typeof createServer>[0],
  tls: TlsSource | undefined,
): Server {
  if (tls === undefined) return createServer(options ?? {});
  const server = createSecureServer({ ...options, ...tlsServerOptions(tls.current) });
  tls.onReload((files) => server.setSecureContext(secureContextOf(files)));
  return server;
}

function edgeOptions(edge: EdgeLimits) {
  return {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: edge.headersTimeoutMs,
    requestTimeout: edge.requestTimeoutMs,
    keepAliveTimeout: edge.keepAliveTimeoutMs,
    connectionsCheckingInterval: edge.connectionsCheckingIntervalMs,
    // Checked by the dispatcher, so that its absence is answered with a problem document.
    requireHostHeader: false,
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Resolves when every answer under way is out; what takes longer than `limits.httpCloseMs` is cut. */
async function closed(server: Server, unused: UnusedConnections, clock: Clock): Promise<void> {
  if (!server.listening) return;
  await takeBacklog(server, clock);
  await new Promise<void>((resolve) => {
    // A connection becomes idle when its last answer ends, which may be at any moment.
    const stopSweep = clock.every(limits.idleSweepMs, () => {
      server.closeIdleConnections();
      unused.close();
    });
    const stopWaiting = clock.after(limits.httpCloseMs, () => server.closeAllConnections());
    server.close(() => {
      stopSweep();
      stopWaiting();
      resolve();
    });
  });
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  return withoutOrigin(mark === -1 ? url : url.slice(0, mark));
}

function stopping(): HubError {
  return new HubError('unavailable', 'the hub is stopping');
}
