import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SigningKey } from './signing-key.ts';

/** A server with the two documents of a token issuer. */
export interface TokenIssuer {
  /** Without a slash at its end. */
  readonly url: string;
  readonly keysUrl: string;
  /** The paths that were asked for, in order. */
  readonly asked: string[];
  keys: readonly Pick<SigningKey, 'jwk'>[];
  /** Over what the discovery document says. */
  metadata: Readonly<Record<string, unknown>>;
  /** Answers in the issuer's place while it is there. */
  answer: RequestListener | undefined;
  close(): Promise<void>;
}

export async function startTokenIssuer(
  keys: readonly Pick<SigningKey, 'jwk'>[],
): Promise<TokenIssuer> {
  const server = createServer((request, response) => {
    issuer.asked.push(request.url ?? '');
    if (issuer.answer !== undefined) return issuer.answer(request, response);
    if (request.url === '/jwks') return json(response, { keys: issuer.keys.map(({ jwk }) => jwk) });
    if (request.url === '/.well-known/openid-configuration') {
      return json(response, { issuer: url, jwks_uri: `${url}/jwks`, ...issuer.metadata });
    }
    response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: TokenIssuer = {
    url,
    keysUrl: `${url}/jwks`,
    asked: [],
    keys,
    metadata: {},
    answer: undefined,
    close: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return issuer;
}

/** As a server that is killed. */
export const away: RequestListener = (request) => request.socket.destroy();

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
