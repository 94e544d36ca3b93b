import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';

/** A WebSocket whose messages are waited for one by one. */
export interface TestSocket {
  readonly socket: WebSocket;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(message: object): void;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape.
  next(): Promise<any>;
}

export async function openSocket(
  url: string,
  {
    protocols = ['graphql-transport-ws'],
    ...options
  }: ClientOptions & { protocols?: string[] } = {},
): Promise<TestSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, protocols, options);
  const messages: string[] = [];
  let wake: (() => void) | undefined;
  let isClosed = false;
  socket.on('message', (data) => {
    messages.push(String(data));
    wake?.();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => {
      isClosed = true;
      wake?.();
      resolve({ code, reason: String(reason) });
    });
  });
  await once(socket, 'open');
  return {
    socket,
    closed,
    send: (message) => socket.send(JSON.stringify(message)),
    next: async () => {
      while (messages.length === 0) {
        if (isClosed) throw new Error('the WebSocket closed without another message');
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return JSON.parse(messages.shift() ?? '');
    },
  };
}
