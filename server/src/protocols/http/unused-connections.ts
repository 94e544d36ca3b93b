import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Connections that have not brought a request yet: Node does not count them as
 * idle, browsers open some in advance, and over TLS some never get to speak.
 */
export interface UnusedConnections {
  /** It has brought a request. */
  used(socket: Socket): void;
  /** Ends those that have not begun one. */
  close(): void;
}

export function unusedConnections(server: Server): UnusedConnections {
  const unused = new Set<Socket>();
  /** By the other end: the socket that speaks TLS is another than the one that was accepted. */
  const inHandshake = new Map<string, Socket>();
  const isSecure = 'setSecureContext' in server;

  const note = (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  };
  if (isSecure) {
    server.on('connection', (socket: Socket) => {
      const end = otherEnd(socket);
      inHandshake.set(end, socket);
      socket.once('close', () => {
        if (inHandshake.get(end) === socket) inHandshake.delete(end);
      });
    });
    server.on('secureConnection', (socket: Socket) => {
      inHandshake.delete(otherEnd(socket));
      note(socket);
    });
  } else server.on('connection', note);

  return {
    used: (socket) => unused.delete(socket),
    close: () => {
      for (const socket of unused) if (socket.bytesRead === 0) socket.destroy();
      for (const socket of inHandshake.values()) socket.destroy();
    },
  };
}

function otherEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
