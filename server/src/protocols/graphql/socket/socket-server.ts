import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Context, GRAPHQL_TRANSPORT_WS_PROTOCOL, makeServer } from 'graphql-ws';
import { WebSocketServer } from 'ws';
import { yieldTurn } from '../../../base/clock.ts';
import { type ErrorCode, HubError } from '../../../base/errors.ts';
import type { Json } from '../../../base/json.ts';
import { limits } from '../../../base/limits.ts';
import { type FailureLog, failureLog } from '../../../base/request-id.ts';
import type { Caller, Presented } from '../../../hub.ts';
import { refuseForeignHost } from '../../http/foreign-host.ts';
import { bearerOf, presentedBy } from '../../http/request-header.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { traceOf } from '../../http/trace-request.ts';
import type { ProtocolHost } from '../../protocol.ts';
import { decodeParameters } from '../decode.ts';
import { failureOf, toWireError, toWireResult } from '../encode.ts';
import { asGraphqlError, type Engine, isStream } from '../engine.ts';
import { boundGreeting } from './bound-greeting.ts';
import { OpenSocket } from './open-socket.ts';

export interface SocketServer {
  open(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Resolves when every socket is closed, each after its operations. */
  close(): Promise<void>;
}

/** Operations over `graphql-transport-ws`. */
export function createSocketServer(host: ProtocolHost, engine: Engine): SocketServer {
  const acceptor = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.websocketPayloadBytes,
    maxFragments: limits.websocketFragments,
    maxBufferedChunks: limits.websocketPieces,
    ...farewell,
    handleProtocols: (offered) =>
      offered.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : false,
  });
  const protocol = makeServer(operations(host, engine));
  const open = new Map<OpenSocket, Promise<void>>();
  return {
    open: (request, rawSocket, head) =>
      acceptor.handleUpgrade(request, rawSocket, head, (webSocket) => {
        const socket = new OpenSocket(webSocket, host);
        const closed = protocol.opened(socket, {
          socket,
          request,
          caller: undefined,
          welcome: boundGreeting(webSocket, rawSocket),
          streams: new Map(),
        });
        const gone = new Promise<void>((resolve) => {
          webSocket.once('close', (code, reason) => {
            open.delete(socket);
            closed(code, String(reason)).then(resolve, resolve);
          });
        });
        open.set(socket, gone);
        if (host.stopping.aborted) socket.stop();
      }),
    close: async () => {
      for (const socket of open.keys()) socket.stop();
      await Promise.all(open.values());
    },
  };
}

/** Who does not answer a close is cut; the types of ws do not know the option yet. */
const farewell = { closeTimeout: limits.websocketFarewellMs };

/** What is known of one connection. */
interface Connection {
  readonly socket: OpenSocket;
  /** The upgrade. */
  readonly request: IncomingMessage;
  caller: Caller | undefined;
  /** Ends the bounds of those whose caller is not known. */
  readonly welcome: () => void;
  /** The open subscriptions by their ids; the function tells the counters of the end. */
  readonly streams: Map<string, () => void>;
}

type Payload = Record<string, unknown> | undefined;
type ConnectionContext = Context<Payload, Connection>;

function operations(
  host: ProtocolHost,
  engine: Engine,
): Parameters<typeof makeServer<Payload, Connection>>[0] {
  return {
    connectionInitWaitTimeout: limits.websocketInitTimeoutMs,
    onConnect: (context) => identify(host, context),
    onSubscribe: async (context, id, payload) => {
      const { socket, caller } = context.extra;
      try {
        if (caller === undefined) throw new HubError('unauthenticated', 'nobody is known here');
        checkLength(context);
        host.rateLimits?.takeRequest(caller);
        const parameters = decodeParameters({ ...payload } as Json);
        const prepared = engine.prepare(parameters, { mutations: true, subscriptions: true });
        if (!('schema' in prepared)) return prepared;
        await socket.began(id);
        return {
          ...prepared,
          contextValue: {
            hub: host.hub,
            caller,
            transport: TRANSPORT,
            // Of the upgrade: an operation has no headers of its own.
            trace: host.tracing && traceOf(context.extra.request),
            signal: socket.signal,
            requestId: () => requestIdOf(context.extra.request),
          },
        };
      } catch (reason) {
        return [asGraphqlError(reason)];
      }
    },
    onOperation: ({ extra }, id, _payload, _args, outcome) => {
      if ('then' in outcome || !isStream(outcome)) return;
      extra.streams.set(id, host.telemetry.subscriberOpened(TRANSPORT));
      extra.socket.follows(id);
    },
    onNext: ({ extra }, _id, _payload, _args, result) => toWireResult(result, logOf(host, extra)),
    onError: ({ extra }, id, _payload, errors) => {
      const [first] = errors;
      if (extra.streams.has(id) && first !== undefined) {
        host.telemetry.countSubscriberCut(TRANSPORT, failureOf(first).code);
      }
      end(extra, id);
      return errors.map((each) => toWireError(each, logOf(host, extra)));
    },
    onComplete: ({ extra }, id) => end(extra, id),
    onClose: ({ extra }) => {
      for (const id of extra.streams.keys()) end(extra, id);
    },
  };
}

const TRANSPORT = 'graphql-ws';

function logOf({ logger }: ProtocolHost, { request }: Connection): FailureLog {
  return failureLog(logger, () => requestIdOf(request));
}

/** By what the payload of `connection_init` carries, else by the headers of the upgrade. */
async function identify(host: ProtocolHost, context: ConnectionContext): Promise<boolean> {
  const { request, socket } = context.extra;
  try {
    const presented = presentedIn(context.connectionParams) ?? presentedBy(request);
    const caller = await host.identify(presented, host.http.clientAddress(request));
    if (!host.anyHostName) refuseForeignHost(caller, request);
    context.extra.caller = caller;
    context.extra.welcome();
    closeWhenEnded(caller, socket);
    return true;
  } catch (reason) {
    const [code, text] = closings[HubError.from(reason).code] ?? closings.unauthenticated;
    socket.close(code, text);
    return false;
  }
}

/** Close codes of graphql-transport-ws and of WebSocket. */
const closings: { readonly unauthenticated: readonly [number, string] } & Partial<
  Record<ErrorCode, readonly [number, string]>
> = {
  unauthenticated: [4401, 'Unauthorized'],
  forbidden: [4403, 'Forbidden'],
  unreadable: [4400, 'Two credentials at once'],
  unavailable: [1013, 'Try again later'],
  rate_limited: [1013, 'Try again later'],
};

/** `authorization` and `x-api-key`, as headers are called; undefined when there is neither. */
function presentedIn(payload: Payload): Presented | undefined {
  const members = Object.entries(payload ?? {}).filter(([, value]) => typeof value === 'string');
  const found = new Map(members.map(([name, value]) => [name.toLowerCase(), String(value)]));
  const authorization = found.get('authorization');
  const apiKey = found.get('x-api-key');
  if (authorization === undefined && apiKey === undefined) return undefined;
  // A bare credential is taken for a bearer's: nothing else can be sent so.
  const bearer = bearerOf(authorization) ?? authorization;
  return { bearer, apiKey };
}

function closeWhenEnded({ ended }: Caller, socket: OpenSocket): void {
  // What the subscriptions have to say of it goes out first.
  const close = () => void yieldTurn().then(() => socket.close(4401, 'Unauthorized'));
  ended.addEventListener('abort', close, { once: true, signal: socket.signal });
}

function checkLength({ subscriptions }: ConnectionContext): void {
  if (Object.keys(subscriptions).length <= limits.websocketSubscriptions) return;
  throw new HubError(
    'rate_limited',
    `this connection has ${limits.websocketSubscriptions} operations under way: end one, or open another connection`,
  );
}

function end({ socket, streams }: Connection, id: string): void {
  streams.get(id)?.();
  streams.delete(id);
  socket.ended(id);
}
