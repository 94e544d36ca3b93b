import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
// @ts-expect-error: the package comes without types
import { Provider } from 'oidc-provider';
import { afterEach, describe, expect, it } from 'vitest';
import { createTokenVerifier, type TokenVerifier } from '../../src/auth/token-verifier.ts';
import type { TokenAlgorithm } from '../../src/auth/tokens/token-settings.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';
import { signingKey } from '../support/signing-key.ts';
import { tokenSettings } from '../support/token-claims.ts';

const audience = 'https://hub.example';
const clientSecret = randomUUID();

interface RunningProvider {
  readonly issuer: string;
  /** As an operator does it: the same issuer with other keys from then on. */
  rotate(algorithm: TokenAlgorithm): void;
  /** An access token by the client credentials grant. */
  issue(scope: string, resource?: string): Promise<string>;
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function startProvider(algorithm: TokenAlgorithm): Promise<RunningProvider> {
  let listener: RequestListener = (_, response) => response.end();
  const server = createServer((request, response) => listener(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rotate = (next: TokenAlgorithm) => {
    listener = providerOf(issuer, next);
  };
  rotate(algorithm);
  return { issuer, rotate, issue: (scope, resource = audience) => issue(issuer, scope, resource) };
}

/** JWT access tokens of two minutes for whatever resource is asked for, as RFC 8707 and RFC 9068 describe them. */
function providerOf(issuer: string, algorithm: TokenAlgorithm): RequestListener {
  const { privateKey } = signingKey(algorithm);
  const resourceServer = (resource: string) => ({
    scope: 'events:write events:read reader',
    audience: resource,
    accessTokenFormat: 'jwt',
    accessTokenTTL: 120,
    jwt: { sign: { alg: algorithm } },
  });
  return new Provider(issuer, {
    clients: [
      {
        client_id: 'shop',
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: algorithm,
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: algorithm }] },
    ttl: { ClientCredentials: 120 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        getResourceServerInfo: (_: unknown, resource: string) => resourceServer(resource),
      },
    },
  }).callback();
}

async function issue(issuer: string, scope: string, resource: string): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`shop:${clientSecret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource }),
  });
  const answer = (await response.json()) as { access_token?: string };
  if (answer.access_token === undefined) throw new Error(JSON.stringify(answer));
  return answer.access_token;
}

function verifierFor({ issuer }: RunningProvider): {
  readonly verifier: TokenVerifier;
  readonly clock: ManualClock;
} {
  // The provider's own clock is this machine's.
  const clock = manualClock(Date.now());
  const settings = { ...tokenSettings, issuer, audience, keys: { kind: 'discovery' } } as const;
  const verifier = createTokenVerifier(settings, { clock, logger: silentLogger });
  ends.push(() => verifier.close());
  return { verifier, clock };
}

describe('a token of an OpenID provider', () => {
  it.each(['RS256', 'ES256', 'EdDSA'] as const)(
    'is accepted with its scopes, signed by %s',
    async (algorithm) => {
      const provider = await startProvider(algorithm);
      const { verifier } = verifierFor(provider);
      expect(await verifier.verify(await provider.issue('events:write reader'))).toMatchObject({
        issuer: provider.issuer,
        subject: 'shop',
        name: 'shop',
        scopes: new Set(['events:write', 'events:read', 'aggregates:read']),
      });
      const narrow = await verifier.verify(await provider.issue('events:read'));
      expect(narrow.scopes).toEqual(new Set(['events:read']));
    },
  );

  it('is accepted when the keys have changed, and one of the old keys is not', async () => {
    const provider = await startProvider('RS256');
    const { verifier, clock } = verifierFor(provider);
    const old = await provider.issue('events:write');
    await verifier.verify(old);
    provider.rotate('ES256');
    const fresh = await provider.issue('events:write');
    await expect(verifier.verify(fresh)).rejects.toMatchObject({ code: 'unauthenticated' });
    await clock.advance(30_000);
    expect((await verifier.verify(fresh)).subject).toBe('shop');
    // Until then the old one is remembered as verified.
    await clock.advance(30_000);
    await expect(verifier.verify(old)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is refused once it has expired', async () => {
    const provider = await startProvider('ES256');
    const { verifier, clock } = verifierFor(provider);
    const token = await provider.issue('events:write');
    const { expiresAtMs } = await verifier.verify(token);
    await clock.advance(expiresAtMs - clock.now() - 1);
    expect((await verifier.verify(token)).subject).toBe('shop');
    await clock.advance(1);
    await expect(verifier.verify(token)).rejects.toMatchObject({
      code: 'unauthenticated',
      cause: expect.objectContaining({ message: 'it has expired' }),
    });
  });

  it('is refused when it is for another audience', async () => {
    const provider = await startProvider('EdDSA');
    const { verifier } = verifierFor(provider);
    const token = await provider.issue('events:write', 'https://other.example');
    await expect(verifier.verify(token)).rejects.toMatchObject({
      code: 'unauthenticated',
      cause: expect.objectContaining({ message: 'it is for another audience' }),
    });
  });
});
