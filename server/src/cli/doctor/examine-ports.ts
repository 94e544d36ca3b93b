import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Finding } from '../../base/finding.ts';
import type { Settings } from '../../config/settings.ts';
import type { Health, PartHealth } from '../../hub.ts';
import { GrpcChannel } from '../clients/grpc-channel.ts';
import { HttpConnection } from '../clients/http-connection.ts';

/** Whether the ports that the roles need are free, or taken by the hub itself. */
export async function examinePorts(settings: Settings): Promise<readonly Finding[]> {
  const { http, grpc, roles, tls } = settings;
  const ownTls = tls && trustOwnCertificate(tls);
  const asksClients = tls?.clientCa !== undefined;
  const httpAddress = `${tls ? 'https' : 'http'}://${reachable(http.host)}:${http.port}`;
  const askedHttp = () => askHttp(httpAddress, ownTls);
  const findings = await examinePort('http', http, askedHttp, asksClients);
  if (!roles.has('grpc')) return findings;
  const grpcAddress = `${tls ? 'grpcs://' : ''}${reachable(grpc.host)}:${grpc.port}`;
  const askedGrpc = () => askGrpc(grpcAddress, ownTls);
  return [...findings, ...(await examinePort('grpc', grpc, askedGrpc, asksClients))];
}

/** What proves itself with the certificate of these settings is the hub, by whatever address; it may take the same from a client. */
function trustOwnCertificate(files: NonNullable<Settings['tls']>): ConnectionOptions {
  const cert = readFileSync(files.cert, 'utf8');
  return {
    ca: cert,
    cert,
    key: readFileSync(files.key, 'utf8'),
    allowPartialTrustChain: true,
    checkServerIdentity: () => undefined,
  };
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** What answers on a taken port, and which of its parts are ill; undefined when it is no hub. */
type Ask = () => Promise<Answering | undefined>;

interface Answering extends Pick<Finding, 'state' | 'detail'> {
  readonly ill?: readonly Finding[];
}

async function examinePort(
  name: string,
  address: Address,
  ask: Ask,
  asksClients: boolean,
): Promise<readonly Finding[]> {
  const place = `${address.host}:${address.port}`;
  const variable = `EVENT_HUB_${name.toUpperCase()}`;
  if (address.port === 0) return [{ state: 'ok', name, detail: 'any free port' }];
  const fault = await listenFault(address);
  if (fault === undefined) return [{ state: 'ok', name, detail: `${place} is free` }];
  if (fault !== 'EADDRINUSE') {
    const detail = `${place} cannot be used (${fault}): set ${variable}_HOST or ${variable}_PORT`;
    return [{ state: 'fail', name, detail }];
  }
  const answer = await ask();
  if (answer !== undefined) {
    const { state, detail, ill = [] } = answer;
    return [{ state, name, detail: `${place}: ${detail}` }, ...ill];
  }
  if (asksClients) {
    const untold = 'whether by the hub, only a client with a certificate can tell';
    return [{ state: 'warn', name, detail: `${place} is taken; ${untold}` }];
  }
  const detail = `${place} is taken by something else: stop it, or set ${variable}_PORT to another`;
  return [{ state: 'fail', name, detail }];
}

/** The system's code for why nobody can listen there. */
function listenFault({ host, port }: Address): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (reason: NodeJS.ErrnoException) => resolve(reason.code ?? reason.message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

async function askHttp(url: string, tls: ConnectionOptions | undefined): ReturnType<Ask> {
  const connection = new HttpConnection(url, 1, undefined, tls);
  try {
    const { status, text } = await connection.exchange({
      method: 'GET',
      path: 'readyz',
      headers: {},
    });
    const { durability, parts = [] } = JSON.parse(text) as Partial<Health>;
    if (durability === undefined) return undefined;
    // Ill and ready all the same is who takes events while the store is away.
    const state = status === 200 ? 'warn' : 'fail';
    const ill = parts.filter(({ ok }) => !ok).map((part) => findingOf(part, state));
    return status === 200
      ? { state: 'ok', detail: `a hub runs here and is ready; ${durability}`, ill }
      : { state: 'fail', detail: 'a hub runs here and is not ready', ill };
  } catch {
    return undefined; // No answer, or none of a hub's.
  } finally {
    connection.close();
  }
}

function findingOf({ name, detail, advice }: PartHealth, state: Finding['state']): Finding {
  const what = advice === undefined ? '' : `; what to do: ${advice}`;
  return { state, name, detail: `the hub that runs says of its ${name}: ${detail}${what}` };
}

async function askGrpc(address: string, tls: ConnectionOptions | undefined): ReturnType<Ask> {
  const channel = new GrpcChannel(address, undefined, tls);
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

/** Where one reaches what listens on every address. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
