import type { Server } from 'node:net';
import { type Clock, yieldTurn } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';

/**
 * Resolves when the connections that the kernel had taken for this server are
 * accepted, or after `limits.backlogMs`. Closing a listening socket resets the
 * ones that still wait there, together with the requests that their clients
 * have sent; Node accepts one of them in each turn of its loop.
 */
export async function takeBacklog(server: Server, clock: Clock): Promise<void> {
  const deadlineMs = clock.monotonicMs() + limits.backlogMs;
  let accepted = 0;
  let before = -1;
  const count = () => {
    accepted += 1;
  };
  server.on('connection', count);
  server.on('drop', count);
  while (accepted > before && clock.monotonicMs() < deadlineMs) {
    before = accepted;
    // The first turn may end one that is half over, and only a whole one has looked at the socket.
    await yieldTurn();
    await yieldTurn();
  }
  server.off('connection', count);
  server.off('drop', count);
}
