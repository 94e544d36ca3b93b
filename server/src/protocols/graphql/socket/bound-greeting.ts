import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { limits } from '../../../base/limits.ts';

/**
 * Bounds what a WebSocket sends until the answer is called, because its caller
 * is known: ws would keep a whole message of `limits.websocketPayloadBytes` of
 * anybody. Counted on the connection, so that messages, fragments and pings
 * are the same. One that sends more is told so, and is read no further.
 */
export function boundGreeting(webSocket: WebSocket, connection: Duplex): () => void {
  let bytes = 0;
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= limits.websocketGreetingBytes) return;
    webSocket.close(1009, 'Too long before connection_ack');
    webSocket.pause();
  };
  connection.on('data', count);
  return () => connection.off('data', count);
}
