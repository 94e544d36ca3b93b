import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { HubError } from '../../base/errors.ts';
import { rawProblem } from '../http/problem.ts';
import { refuseUpgrade } from '../http/refuse-upgrade.ts';
import type { Protocol, ProtocolHost } from '../protocol.ts';
import { createHttpHandler } from './http-handler.ts';
import { createPlayground } from './playground/index.ts';
import type { Runtime } from './runtime.ts';

/**
 * GraphQL on the shared HTTP server: operations, subscriptions over WebSocket
 * and server-sent events, and the playground. graphql-js and the schema are
 * loaded by the first operation: a hub that is asked none starts sooner and
 * stays smaller.
 */
export const graphqlProtocol: Protocol = {
  name: 'graphql',
  role: 'http',
  start: async (host) => {
    let loading: Promise<Runtime> | undefined;
    const runtime = () => {
      loading ??= import('./runtime.ts').then(({ createRuntime }) => createRuntime(host));
      return loading;
    };
    const close = async () => (await loading)?.close();

    const operations = createHttpHandler(host, runtime);
    const playground = createPlayground(host);
    host.http.route('POST', '/graphql', operations.post);
    host.http.route('GET', '/graphql', (exchange) =>
      wantsPage(exchange.request) ? playground.page(exchange) : operations.get(exchange),
    );
    host.http.route('GET', '/graphql/assets/:name', playground.asset);
    host.http.upgrade('/graphql', (request, socket, head) => {
      void openSocket(host, runtime, request, socket, head);
    });

    host.stopping.addEventListener('abort', () => void close(), { once: true });
    return { stop: close };
  },
};

/** Browsers ask for pages; programs that take anything get an answer of the API. */
function wantsPage(request: IncomingMessage): boolean {
  return request.headers.accept?.includes('text/html') === true;
}

async function openSocket(
  host: ProtocolHost,
  runtime: () => Promise<Runtime>,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  // Until ws takes over, nobody else listens for the end of a broken connection.
  socket.on('error', () => socket.destroy());
  if (!isSameOrigin(request) && !host.http.allowsOrigin(request.headers.origin ?? '')) {
    const detail = 'a page of another origin may not open a WebSocket here';
    refuseUpgrade(socket, rawProblem(new HubError('forbidden', detail), 403, 'Forbidden'));
    return;
  }
  try {
    (await runtime()).openSocket(request, socket, head);
  } catch (reason) {
    const failure = HubError.from(reason);
    host.logger.error({ err: failure.cause ?? failure }, 'a WebSocket could not be opened');
    refuseUpgrade(socket, rawProblem(failure, 500, 'Internal Server Error'));
  }
}

/**
 * Browsers let any page open a WebSocket anywhere, and name the page in
 * `Origin`; programs send none.
 */
function isSameOrigin({ headers }: IncomingMessage): boolean {
  if (headers.origin === undefined) return true;
  return URL.parse(headers.origin)?.host === headers.host?.toLowerCase();
}
