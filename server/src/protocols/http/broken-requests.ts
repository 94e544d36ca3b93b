import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HubError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { rawProblem } from './problem.ts';

/**
 * Answers bytes that are no HTTP, heads that are too long and requests that
 * take too long, and closes the connection. Such a connection may still owe
 * the answer to an earlier request: that one goes out first, and is never
 * mistaken for the refusal. The returned function notes who is being answered.
 */
export function answerBrokenRequests(
  server: Server,
): (request: IncomingMessage, response: ServerResponse) => void {
  const latest = new WeakMap<Duplex, ServerResponse>();
  server.on('clientError', (fault: Error & { code?: string }, socket: Duplex) => {
    const response = latest.get(socket);
    if (fault.code === 'ECONNRESET' || !socket.writable || isTlsFault(fault.code)) {
      socket.destroy();
      return;
    }
    if (response?.req.complete && !response.writableFinished) {
      // The fault lies behind a whole request that is being answered.
      response.shouldKeepAlive = false;
      response.once('finish', () => socket.end(() => socket.destroy()));
      return;
    }
    if (response?.headersSent && !response.req.complete) {
      socket.destroy();
      return;
    }
    socket.end(refusal(fault.code), () => socket.destroy());
  });
  return (request, response) => {
    latest.set(request.socket, response);
  };
}

/** Nothing can be said to who does not speak TLS, or shows no certificate. */
function isTlsFault(code: string | undefined): boolean {
  return code !== undefined && /^(ERR_SSL_|ERR_TLS_|EPROTO$)/.test(code);
}

function refusal(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') {
    const detail = `the request's headers are longer than ${limits.headerBytes} bytes`;
    return rawProblem(new HubError('too_large', detail), 431, 'Request Header Fields Too Large');
  }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    const detail = 'the chunk extensions are too long';
    return rawProblem(new HubError('too_large', detail), 413, 'Payload Too Large');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const detail = `the request did not arrive within ${limits.requestTimeoutMs / 1000} s`;
    return rawProblem(new HubError('unreadable', detail), 408, 'Request Timeout');
  }
  return rawProblem(new HubError('unreadable', 'this is no HTTP/1.1 request'), 400, 'Bad Request');
}
