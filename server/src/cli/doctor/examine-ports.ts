import { createServer } from 'node:net';
import type { Finding } from '../../base/finding.ts';
import type { Settings } from '../../config/settings.ts';
import { GrpcChannel } from '../clients/grpc-channel.ts';
import { HttpConnection } from '../clients/http-connection.ts';

/** Whether the ports that the roles need are free, or taken by the hub itself. */
export async function examinePorts({ http, grpc, roles }: Settings): Promise<readonly Finding[]> {
  const findings = [await examinePort('http', http, () => askHttp(httpUrl(http)))];
  if (!roles.has('grpc')) return findings;
  const address = `${reachable(grpc.host)}:${grpc.port}`;
  return [...findings, await examinePort('grpc', grpc, () => askGrpc(address))];
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** What answers on a taken port; undefined when it is no hub. */
type Ask = () => Promise<Pick<Finding, 'state' | 'detail'> | undefined>;

async function examinePort(name: string, address: Address, ask: Ask): Promise<Finding> {
  const place = `${address.host}:${address.port}`;
  const variable = `EVENT_HUB_${name.toUpperCase()}`;
  if (address.port === 0) return { state: 'ok', name, detail: 'any free port' };
  const fault = await listenFault(address);
  if (fault === undefined) return { state: 'ok', name, detail: `${place} is free` };
  if (fault !== 'EADDRINUSE') {
    const detail = `${place} cannot be used (${fault}): set ${variable}_HOST or ${variable}_PORT`;
    return { state: 'fail', name, detail };
  }
  const answer = await ask();
  if (answer !== undefined) return { name, ...answer, detail: `${place}: ${answer.detail}` };
  const detail = `${place} is taken by something else: stop it, or set ${variable}_PORT to another`;
  return { state: 'fail', name, detail };
}

/** The system's code for why nobody can listen there. */
function listenFault({ host, port }: Address): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (reason: NodeJS.ErrnoException) => resolve(reason.code ?? reason.message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

async function askHttp(url: string): ReturnType<Ask> {
  const connection = new HttpConnection(url, 1);
  try {
    const { status, text } = await connection.exchange({
      method: 'GET',
      path: 'readyz',
      headers: {},
    });
    const { durability } = JSON.parse(text) as { readonly durability?: string };
    if (durability === undefined) return undefined;
    return status === 200
      ? { state: 'ok', detail: `a hub runs here and is ready; ${durability}` }
      : { state: 'warn', detail: `a hub runs here and is not ready: ${text}` };
  } catch {
    return undefined; // No answer, or none of a hub's.
  } finally {
    connection.close();
  }
}

async function askGrpc(address: string): ReturnType<Ask> {
  const channel = new GrpcChannel(address);
  try {
    const { contracts } = channel;
    const { status } = await channel.call(
      '/grpc.health.v1.Health/Check',
      { service: 'event_hub.v1.EventService' },
      {
        request: contracts.type('grpc.health.v1.HealthCheckRequest'),
        answer: contracts.type<{ readonly status: number }>('grpc.health.v1.HealthCheckResponse'),
      },
    );
    return status === serving
      ? { state: 'ok', detail: 'a hub runs here and serves' }
      : { state: 'warn', detail: 'a hub runs here and does not serve' };
  } catch {
    return undefined; // No answer, or none of a hub's.
  } finally {
    channel.close();
  }
}

/** `SERVING` of grpc.health.v1. */
const serving = 1;

function httpUrl({ host, port }: Address): string {
  return `http://${reachable(host)}:${port}`;
}

/** Where one reaches what listens on every address. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
