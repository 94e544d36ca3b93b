import { connect, type Socket } from 'node:net';

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Status line and headers, in lower case. */
  readonly head: string;
  readonly body: string;
  /** Everything that came, further answers included. */
  readonly all: string;
}

export interface RawOptions {
  /** Resolve after the first complete answer instead of when the hub closes the connection. */
  readonly untilAnswer?: boolean;
}

/** Sends bytes as they are, which no HTTP client would let out, and reads what comes back. */
export function sendRaw(
  url: string,
  parts: string | Buffer | readonly (string | Buffer)[],
  { untilAnswer = false }: RawOptions = {},
): Promise<RawAnswer> {
  const socket = openRaw(url);
  for (const part of [parts].flat()) socket.write(part as string | Buffer);
  return readAnswer(socket, untilAnswer);
}

export function openRaw(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  return socket;
}

export function readAnswer(socket: Socket, untilAnswer = false): Promise<RawAnswer> {
  let all = '';
  return new Promise((resolve) => {
    const settle = () => {
      socket.destroy();
      resolve(parseAnswer(all));
    };
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      all += text;
      if (untilAnswer && isWhole(all)) settle();
    });
    socket.on('close', settle);
  });
}

function parseAnswer(all: string): RawAnswer {
  const end = all.indexOf('\r\n\r\n');
  const head = (end === -1 ? all : all.slice(0, end)).toLowerCase();
  const status = Number(/^http\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
  return { status, head, body: end === -1 ? '' : all.slice(end + 4), all };
}

function isWhole(all: string): boolean {
  const { head, body, status } = parseAnswer(all);
  const length = /content-length: (\d+)/.exec(head)?.[1];
  return status >= 200 && length !== undefined && body.length >= Number(length);
}
