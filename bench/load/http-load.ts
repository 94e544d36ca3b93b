import { connect, type Socket } from 'node:net';

export interface HttpLoad {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  /** The whole request, head and body. */
  readonly nextRequest: () => Buffer;
}

export interface LoadResult {
  readonly answers: number;
  readonly refused: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * A closed loop over keep-alive connections on bare sockets: the next request of
 * a connection goes out when its answer is in. It does as little as it can, so
 * that the server under test has the machine.
 */
export async function runHttpLoad(load: HttpLoad): Promise<LoadResult> {
  const latencies: number[] = [];
  let refused = 0;
  const startedMs = performance.now();
  const endMs = startedMs + load.durationMs;
  await Promise.all(
    Array.from({ length: load.connections }, () =>
      runConnection(load, endMs, (ms, status) => {
        latencies.push(ms);
        if (status >= 300) refused += 1;
      }),
    ),
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  latencies.sort((a, b) => a - b);
  return {
    answers: latencies.length,
    refused,
    perSecond: latencies.length / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function runConnection(
  load: HttpLoad,
  endMs: number,
  answered: (ms: number, status: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host: load.host, port: load.port, noDelay: true });
    let sentMs = 0;
    let waiting = '';
    const send = () => {
      if (performance.now() >= endMs) {
        socket.end();
        resolve();
        return;
      }
      sentMs = performance.now();
      socket.write(load.nextRequest());
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      waiting += chunk;
      const status = completeStatus(waiting);
      if (status === undefined) return;
      waiting = '';
      answered(performance.now() - sentMs, status);
      send();
    });
  });
}

/** The status of an answer when all of it is here. */
function completeStatus(answer: string): number | undefined {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, headEnd));
  if (length === null) throw new Error('the answer has no length');
  if (answer.length < headEnd + 4 + Number(length[1])) return undefined;
  return Number(answer.slice(9, 12));
}

export function postRequest(path: string, contentType: string, body: Buffer | string): Buffer {
  const bytes = Buffer.from(body);
  const head = `POST ${path} HTTP/1.1\r\nhost: bench\r\ncontent-type: ${contentType}\r\ncontent-length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}
