import type { Duplex } from 'node:stream';

/**
 * Answers an upgrade that is not taken, and closes its connection, also when
 * the client never ends its side: an upgraded connection belongs to no server
 * any more, which would time it out or listen for its errors.
 */
export function refuseUpgrade(socket: Duplex, text: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(text, () => socket.destroy());
}
